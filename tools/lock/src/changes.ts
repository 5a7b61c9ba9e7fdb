// What a refresh changed, as data and as the table a person reads.

import { createHash } from "node:crypto";
import { listsOf } from "./schema.ts";
import type { ImageLock } from "./schema.ts";

/** Bytes of all the Debian packages of a lock, which is what a build fetches of them. */
export function packageBytes({ packages }: ImageLock): number {
  const all = Object.values(packages).flatMap((set) => listsOf(set).flatMap(([, list]) => list));
  return all.reduce((sum, { size }) => sum + size, 0);
}

export interface Change {
  part: "source" | "packages" | "files" | "bases" | "modules";
  /** The set, and for packages the architecture: "python amd64"; for modules go.mod's folder. Empty for source and bases. */
  set: string;
  name: string;
  /** Absent where the thing is new. */
  old?: string;
  /** Absent where the thing is gone. */
  new?: string;
}

/** The differences of two locks, in a fixed order. */
export function changesBetween(before: ImageLock, after: ImageLock): Change[] {
  const [olds, news] = [pins(before), pins(after)];
  const keys = [...new Set([...olds.keys(), ...news.keys()])].sort();
  return keys.flatMap((key) => {
    const [from, to] = [olds.get(key), news.get(key)];
    const pin = to ?? from;
    if (!pin || from?.identity === to?.identity) return [];
    const { part, set, name } = pin;
    return [{ part, set, name, ...(from && { old: from.version }), ...(to && { new: to.version }) }];
  });
}

interface Pin extends Pick<Change, "part" | "set" | "name"> {
  version: string;
  /** Differs when anything of the content does. */
  identity: string;
}

function pins({ source, packages, files, bases }: ImageLock): Map<string, Pin> {
  const all: Pin[] = [];
  if (source !== undefined) {
    const { repository, version, commit, dockerfile } = source;
    const label = version === commit ? commit.slice(0, 12) : `${version} (${commit.slice(0, 12)})`;
    all.push({ part: "source", set: "", name: repository, version: label, identity: version + commit });
    const text = dockerfile.join("\n");
    const lines = `${dockerfile.length} lines (${createHash("sha256").update(text).digest("hex").slice(0, 8)})`;
    all.push({ part: "source", set: "", name: "upstream's Dockerfile", version: lines, identity: text });
  }
  for (const [set, locked] of Object.entries(packages)) {
    for (const [arch, list] of listsOf(locked)) {
      for (const { name, version, sha256 } of list) {
        all.push({ part: "packages", set: `${set} ${arch}`, name, version, identity: version + sha256 });
      }
    }
  }
  for (const [set, list] of Object.entries(files)) {
    for (const { name, version, file, integrity } of list) {
      // Several files of one version (a wheel for each platform) are told apart by their file names, less the version.
      const label = list.filter((other) => other.name === name).length > 1 ? file.replace(version, "") : name;
      all.push({ part: "files", set, name: label, version, identity: version + file + integrity });
    }
  }
  for (const [name, digest] of Object.entries(bases)) {
    all.push({ part: "bases", set: "", name, version: digest, identity: digest });
  }
  return new Map(all.map((pin) => [`${pin.part}\0${pin.set}\0${pin.name}`, pin]));
}

/** A table of name, old and new; the empty string where nothing changed. */
export function formatChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return "";
  const rows = changes.map((one) => [one.set || one.part, one.name, one.old ?? "-", one.new ?? "-"]);
  const table = [["set", "name", "old", "new"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
