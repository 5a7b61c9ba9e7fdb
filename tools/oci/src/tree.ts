// The file system of an image: its layers laid over each other, whiteouts applied (image-spec, "Image Layer Filesystem
// Changeset"). One pass over each layer; what stays in memory is a line for each file, not its content.

import type { BlobStore } from "./blobstore.ts";
import type { Descriptor } from "./descriptor.ts";
import { readLayer } from "./layer.ts";
import type { LayerEntry, LayerOptions } from "./layer.ts";

export interface TreeEntry extends LayerEntry {
  /** The layer it comes from; 0 is the lowest. */
  layer: number;
}

export interface TreeOptions extends LayerOptions {
  /** Sees every entry of every layer, those too that a layer above hides: their bytes still ship. Not the whiteouts. */
  onEntry?: (entry: TreeEntry) => void;
  /** Layers by digest, filled as they are read: images that share layers, read with one map and the same options, read them once. */
  known?: Map<string, readonly LayerEntry[]>;
}

const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * What a container of the image finds, by path ("usr/bin/env"). A hardlink has the mode, size and content of its target.
 * @param layers lowest first, as a manifest or a record lists them
 * @throws {WaybillError} a layer isn't in the store, or is damaged
 */
export async function readTree(
  store: BlobStore,
  layers: readonly Pick<Descriptor, "digest" | "size" | "mediaType">[],
  options: TreeOptions = {},
): Promise<Map<string, TreeEntry>> {
  const tree = new Map<string, TreeEntry>();
  for (const [index, layer] of layers.entries()) {
    const upper = new Upper(index, options.onEntry);
    for (const entry of await entriesOf(store, layer, options)) upper.take(entry);
    upper.layOver(tree);
  }
  return tree;
}

async function entriesOf(
  store: BlobStore,
  layer: Pick<Descriptor, "digest" | "size" | "mediaType">,
  options: TreeOptions,
): Promise<readonly LayerEntry[]> {
  const before = options.known?.get(layer.digest);
  if (before !== undefined) return before;
  const entries: LayerEntry[] = [];
  await readLayer(store, layer, (entry) => entries.push(entry), options);
  options.known?.set(layer.digest, entries);
  return entries;
}

/** One layer's entries and what they take away from below: a whiteout hides lower layers only, wherever in the tar it stands. */
class Upper {
  readonly #layer: number;
  readonly #onEntry: TreeOptions["onEntry"];
  readonly #entries = new Map<string, TreeEntry>();
  readonly #removed = new Set<string>();
  readonly #opaque = new Set<string>();
  /** Paths that are no folder here: nothing of what lay in a lower folder of that name is left. */
  readonly #replaced = new Set<string>();

  constructor(layer: number, onEntry: TreeOptions["onEntry"]) {
    this.#layer = layer;
    this.#onEntry = onEntry;
  }

  take(entry: LayerEntry): void {
    const slash = entry.path.lastIndexOf("/");
    const folder = entry.path.slice(0, Math.max(slash, 0));
    const name = entry.path.slice(slash + 1);
    if (name === OPAQUE) this.#opaque.add(folder);
    else if (name.startsWith(WHITEOUT)) this.#removed.add(join(folder, name.slice(WHITEOUT.length)));
    else if (entry.path !== "") this.#add({ ...entry, layer: this.#layer });
  }

  layOver(tree: Map<string, TreeEntry>): void {
    for (const path of tree.keys()) if (this.#hides(path)) tree.delete(path);
    for (const [path, entry] of this.#entries) tree.set(path, resolved(entry, tree));
  }

  #add(entry: TreeEntry): void {
    this.#entries.set(entry.path, entry);
    if (entry.type === "directory") this.#replaced.delete(entry.path);
    else this.#replaced.add(entry.path);
    this.#onEntry?.(entry);
  }

  #hides(path: string): boolean {
    if (this.#removed.has(path) || this.#opaque.has("")) return true;
    for (let slash = path.indexOf("/"); slash >= 0; slash = path.indexOf("/", slash + 1)) {
      const parent = path.slice(0, slash);
      if (this.#removed.has(parent) || this.#opaque.has(parent) || this.#replaced.has(parent)) return true;
    }
    return false;
  }
}

/** A hardlink's target stands before it in the tar, so it is in the tree already. */
function resolved(entry: TreeEntry, tree: ReadonlyMap<string, TreeEntry>): TreeEntry {
  const target = entry.type === "hardlink" && entry.link !== undefined ? tree.get(entry.link) : undefined;
  if (target === undefined) return entry;
  const { mode, uid, gid, size, head, sha256 } = target;
  return { ...entry, mode, uid, gid, size, head, ...(sha256 === undefined ? {} : { sha256 }) };
}

function join(folder: string, name: string): string {
  return folder === "" ? name : `${folder}/${name}`;
}
