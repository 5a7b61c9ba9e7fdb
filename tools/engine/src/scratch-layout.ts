// The layout that an engine writes into: a folder for one build, beside the store on its file system.

import { link, mkdir, readFile, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { BlobStore, type Descriptor, type Digest, WaybillError, splitDigest } from "@waybill/oci";
import { isAlive } from "./is-alive.ts";

export interface ScratchLayout {
  /** An OCI layout's folder for one build. */
  layout: string;
  /** Keeps these layers, as the engine wrote them, for the next build of the same name. */
  keep(layers: readonly Digest[]): Promise<void>;
  remove(): Promise<void>;
}

/** Blobs above this many bytes are not kept: sending one again takes less than the disk is worth. */
const KEEP_BYTES = 32 * 1024 * 1024;

/**
 * A fresh layout's folder. Blobs that the build will come to again are in it at once, as hard links, so the engine doesn't send them.
 * @param known blobs of the store: a base's layers
 * @param name of what is built; the layers of its last build are there too, as the engine wrote them
 */
export async function scratchLayout(store: BlobStore, known: Iterable<Digest>, name: string): Promise<ScratchLayout> {
  await sweep(join(store.root, "tmp"));
  const layout = join(store.root, "tmp", `${process.pid}-${Math.random().toString(36).slice(2)}`);
  const blobs = join(layout, "blobs", "sha256");
  const kept = join(store.root, "raw", name.replaceAll("/", "-"));
  await mkdir(blobs, { recursive: true });
  for (const digest of known)
    if (await store.has(digest)) await link(store.path(digest), new BlobStore(layout).path(digest));
  const given = new Set(await readdir(blobs));
  await linkAll(await readdir(kept).catch(() => []), kept, blobs);
  return {
    layout,
    keep: (layers) =>
      keepRaw(
        layers.map((digest) => splitDigest(digest).hex).filter((file) => !given.has(file)),
        blobs,
        kept,
      ),
    remove: () => rm(layout, { recursive: true, force: true }),
  };
}

/** Swaps folders, so that a build that is killed here leaves the old one or none. */
async function keepRaw(files: readonly string[], blobs: string, kept: string): Promise<void> {
  const fresh = `${kept}.${process.pid}`;
  await mkdir(fresh, { recursive: true });
  await linkAll(files, blobs, fresh);
  await rm(kept, { recursive: true, force: true });
  // Another build of the same image may have been quicker: its layers do as well.
  await rename(fresh, kept).catch(() => rm(fresh, { recursive: true, force: true }));
}

/** Best effort: what isn't linked is sent. */
async function linkAll(files: readonly string[], from: string, to: string): Promise<void> {
  for (const file of files) {
    const { size } = await stat(join(from, file));
    if (size <= KEEP_BYTES) await link(join(from, file), join(to, file)).catch(() => {});
  }
}

/** Takes away what builds that were killed have left: a scratch layout begins with the process id of its build. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isAlive(Number(name.split("-")[0]))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

interface LayoutIndex {
  manifests: (Descriptor & { platform?: unknown })[];
}

/** The manifest of each platform in a layout that BuildKit wrote: one manifest, or an index of several. */
export async function manifestsIn(layout: string): Promise<Descriptor[]> {
  const { manifests } = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as LayoutIndex;
  const [first] = manifests;
  if (first === undefined) throw new WaybillError("the engine wrote no image", { where: layout });
  if (!first.mediaType.endsWith("image.index.v1+json")) return [first];
  const index = join(layout, "blobs", first.digest.replace(":", "/"));
  return (JSON.parse(await readFile(index, "utf8")) as LayoutIndex).manifests;
}
