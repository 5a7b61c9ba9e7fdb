// Which files came, went, or are others. Times don't count: Waybill's images have none, and others' say nothing.

import type { TreeEntry } from "@waybill/oci";

export interface FileChange {
  path: string;
  change: "added" | "removed" | "changed";
  /** What is another: "content", "mode 755 -> 644", "owner 0:0 -> 65532:65532", "type file -> symlink", "link a -> b". */
  what: string[];
  /** Bytes that came, less those that went. */
  size: number;
}

type Tree = ReadonlyMap<string, TreeEntry>;

/** Largest change of size first, then by path. A folder counts only where it is no folder on the other side, or has other rights. */
export function diffFiles(from: Tree, to: Tree): FileChange[] {
  const changes: FileChange[] = [];
  for (const path of new Set([...from.keys(), ...to.keys()])) {
    const change = changeOf(path, from.get(path), to.get(path));
    if (change !== undefined) changes.push(change);
  }
  return changes.sort((a, b) => Math.abs(b.size) - Math.abs(a.size) || (a.path < b.path ? -1 : 1));
}

function changeOf(path: string, before: TreeEntry | undefined, after: TreeEntry | undefined): FileChange | undefined {
  const size = (after?.size ?? 0) - (before?.size ?? 0);
  if (before === undefined || after === undefined) {
    if ((before ?? after)?.type === "directory") return undefined;
    return { path, change: before === undefined ? "added" : "removed", what: [], size };
  }
  const what = differences(before, after);
  return what.length === 0 ? undefined : { path, change: "changed", what, size };
}

function differences(before: TreeEntry, after: TreeEntry): string[] {
  // A link has no rights and no content: nothing else can be compared.
  if (before.type !== after.type) return [`type ${before.type} -> ${after.type}`];
  const pairs: [string, string, string][] = [
    ["mode", before.mode.toString(8), after.mode.toString(8)],
    ["owner", `${before.uid}:${before.gid}`, `${after.uid}:${after.gid}`],
    ["link", before.link ?? "", after.link ?? ""],
  ];
  const what = pairs
    .filter(([, one, other]) => one !== other)
    .map(([name, one, other]) => `${name} ${one} -> ${other}`);
  return before.sha256 === after.sha256 ? what : ["content", ...what];
}
