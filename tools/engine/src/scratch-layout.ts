// The layout that an engine writes into: a folder for one build, beside the store on its file system.

import { link, mkdir, readFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BlobStore, type Descriptor, type Digest, WaybillError } from "@waybill/oci";

/**
 * A fresh layout's folder.
 * @param known blobs of the store that the build will come to again (a base's layers): they are there at once, as hard links, so the
 *   engine doesn't send them
 */
export async function scratchLayout(
  store: BlobStore,
  known: Iterable<Digest> = [],
): Promise<{ layout: string; remove: () => Promise<void> }> {
  await sweep(join(store.root, "tmp"));
  const layout = join(store.root, "tmp", `${process.pid}-${Math.random().toString(36).slice(2)}`);
  const scratch = new BlobStore(layout);
  await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
  for (const digest of known) if (await store.has(digest)) await link(store.path(digest), scratch.path(digest));
  return { layout, remove: () => rm(layout, { recursive: true, force: true }) };
}

/** Takes away what builds that were killed have left: a scratch layout begins with the process id of its build. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    if (!isAlive(Number(name.split("-")[0]))) await rm(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
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
