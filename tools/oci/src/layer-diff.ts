// What makes one layer another than its like: file by file, down to what a checksum sees (path, type, mode, owner, time, size,
// content, order). For images that should have come out the same.

import type { BlobStore } from "./blobstore.ts";
import type { Descriptor } from "./descriptor.ts";
import { readLayer } from "./layer.ts";
import type { LayerEntry } from "./layer.ts";

type Layer = Pick<Descriptor, "digest" | "size" | "mediaType">;

export interface EntryChange {
  path: string;
  change: "added" | "removed" | "changed";
  /** "mode 755 -> 644", "content"; empty for what came or went. */
  what: string[];
}

/**
 * In the order of `before`, what was added last.
 * @throws {WaybillError} a layer isn't in the store, or is damaged
 */
export async function diffLayer(store: BlobStore, before: Layer, after: Layer): Promise<EntryChange[]> {
  const [old, now] = [await entriesOf(store, before), await entriesOf(store, after)];
  const changes: EntryChange[] = [];
  for (const [path, entry] of old) {
    const other = now.get(path);
    const what = other === undefined ? [] : differences(entry, other);
    if (other === undefined) changes.push({ path, change: "removed", what });
    else if (what.length > 0) changes.push({ path, change: "changed", what });
  }
  for (const path of now.keys()) if (!old.has(path)) changes.push({ path, change: "added", what: [] });
  return changes.length > 0 ? changes : outOfPlace([...old.keys()], [...now.keys()]);
}

async function entriesOf(store: BlobStore, layer: Layer): Promise<Map<string, LayerEntry>> {
  const entries = new Map<string, LayerEntry>();
  await readLayer(store, layer, (entry) => entries.set(entry.path, entry), { hash: true, headBytes: 0 });
  return entries;
}

function differences(before: LayerEntry, after: LayerEntry): string[] {
  const pairs: [string, string, string][] = [
    ["type", before.type, after.type],
    ["mode", before.mode.toString(8), after.mode.toString(8)],
    ["owner", `${before.uid}:${before.gid}`, `${after.uid}:${after.gid}`],
    ["time", timeOf(before), timeOf(after)],
    ["size", `${before.size} B`, `${after.size} B`],
    ["link", before.link ?? "", after.link ?? ""],
  ];
  const what = pairs
    .filter(([, one, other]) => one !== other)
    .map(([name, one, other]) => `${name} ${one} -> ${other}`);
  return before.sha256 === after.sha256 ? what : [...what, "content"];
}

const timeOf = ({ mtime }: LayerEntry): string => new Date(mtime * 1000).toISOString().replace(".000Z", "Z");

/** The first that stands elsewhere in the tar; none where the tars are the same and were packed differently. */
function outOfPlace(old: readonly string[], now: readonly string[]): EntryChange[] {
  const index = old.findIndex((path, at) => path !== now[at]);
  const path = old[index];
  return path === undefined ? [] : [{ path, change: "changed", what: [`order: ${now[index]} stands in its place`] }];
}
