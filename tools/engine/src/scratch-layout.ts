// The layout that an engine writes into: a folder for one build, over the shared blob folder.

import { mkdir, readFile, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, WaybillError } from "@waybill/oci";

/** A fresh layout's folder whose blobs are the shared store's, on the store's file system (blobs arrive by rename). */
export async function scratchLayout(store: string): Promise<{ layout: string; remove: () => Promise<void> }> {
  await sweep(join(store, "tmp"));
  const layout = join(store, "tmp", `${process.pid}-${Math.random().toString(36).slice(2)}`);
  await mkdir(layout, { recursive: true });
  await mkdir(join(store, "blobs"), { recursive: true });
  await symlink(join("..", "..", "blobs"), join(layout, "blobs"));
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
