// A changeset: the note by which a change of an image becomes a version of it (https://github.com/changesets/changesets).

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Change } from "@waybill/lock";
import { writeFileAtomic } from "@waybill/oci";

type Bump = "major" | "minor" | "patch";

/** As upstream's own version moves, where it has one; everything else is a patch. */
function bumpOf(changes: readonly Change[]): Bump {
  // Of Go modules the first is what the image repackages.
  const source = changes.find(
    ({ part, old }) => (part === "source" || part === "modules") && old !== undefined && /^\D*\d/.test(old),
  );
  const [from, to] = [numbers(source?.old), numbers(source?.new)];
  if (from === undefined || to === undefined) return "patch";
  const at = from.findIndex((number, index) => number !== to[index]);
  return at === 0 ? "major" : at === 1 ? "minor" : "patch";
}

function numbers(version: string | undefined): [number, number] | undefined {
  const [, major, minor] = /^\D*(\d+)\.(\d+)/.exec(version ?? "") ?? [];
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

/** More than this many are counted: the lock's diff has them all. */
const NAMED = 12;

/**
 * Writes the note; the same update twice is one note.
 * @param packageName the image's name in its package.json
 * @returns the file, relative to the workspace
 */
export async function writeChangeset(
  root: string,
  packageName: string,
  image: string,
  changes: readonly Change[],
): Promise<string> {
  const lines = [...new Set(changes.map((change) => `- ${describe(change)}`))];
  const more = lines.length - NAMED;
  const shown = more > 0 ? [...lines.slice(0, NAMED), `- and ${more} more`] : lines;
  const text = `---\n"${packageName}": ${bumpOf(changes)}\n---\n\n${image}: pins moved\n\n${shown.join("\n")}\n`;
  const file = join(".changeset", `update-${image}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.md`);
  await writeFileAtomic(join(root, file), text);
  return file;
}

function describe({ name, old, new: to }: Change): string {
  if (old === undefined) return `${name} ${to} is new`;
  return to === undefined ? `${name} ${old} is gone` : `${name} ${old} → ${to}`;
}
