// What counts as installed, in the form apt reads it: a dpkg status file made from another image's lock.

import type { DebianPackage } from "../schema.ts";
import type { Apt } from "./apt.ts";

const RELATIONS = /^(Pre-Depends|Depends|Breaks|Conflicts|Replaces|Recommends|Suggests|Enhances):/;

/**
 * The status file of a system that has `packages`, and counts `without` as there too.
 * A package's index entry tells what it provides. Its relations stay out: an image may hold packages without what they depend
 * on (distroless ones do), and apt refuses to build upon a system it finds broken.
 */
export async function dpkgStatus(
  apt: Pick<Apt, "stanzas">,
  packages: readonly DebianPackage[],
  without: readonly string[],
): Promise<string> {
  const held = new Set(packages.map(({ name }) => name));
  const skipped = without.filter((name) => !held.has(name));
  const stanzas = await apt.stanzas([...held, ...skipped]);
  const installed = packages.map((one) => withStatus(stanzaOf(one.name, one.version, one.arch, stanzas), "install"));
  // On hold: apt takes others anew where their stanza differs from the index's, and what they need comes along.
  const absent = skipped.map((name) => withStatus(stanzaOf(name, undefined, "all", stanzas), "hold"));
  return [...installed, ...absent].map((stanza) => `${stanza}\n\n`).join("");
}

/** The entry of this version; where it has left the archive, that of another one with the version put in. */
function stanzaOf(name: string, version: string | undefined, arch: string, stanzas: readonly string[]): string {
  const same = stanzas.filter((stanza) => field(stanza, "Package") === name);
  const known = same.find((stanza) => field(stanza, "Version") === version) ?? same[0];
  const entry = known === undefined ? `Package: ${name}\nArchitecture: ${arch}` : withoutRelations(known);
  return `${entry}\nVersion: ${version ?? (known && field(known, "Version")) ?? "0"}`;
}

function withStatus(stanza: string, wanted: "install" | "hold"): string {
  return stanza.trimEnd().replace("\n", `\nStatus: ${wanted} ok installed\n`);
}

/** The stanza without relations to others and without its version. */
function withoutRelations(stanza: string): string {
  const fields = stanza.trimEnd().split(/\n(?! )/);
  return fields.filter((text) => !RELATIONS.test(text) && !text.startsWith("Version:")).join("\n");
}

function field(stanza: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1];
}
