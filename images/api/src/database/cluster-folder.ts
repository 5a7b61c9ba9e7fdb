/** Where a data directory keeps its cluster, made whole or not at all: a kill in the middle of initdb leaves nothing that looks like one. */
import { existsSync } from "node:fs";
import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

/** Gives the path of the cluster in `dataDir`, initialised if it wasn't there. The caller holds `dataDir`. */
export async function clusterFolder(dataDir: string, assets: object): Promise<string> {
  const folder = join(dataDir, "cluster");
  if (existsSync(folder)) return folder;
  const unfinished = join(dataDir, "cluster.new");
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const pglite = await PGlite.create({ ...assets, fs: new NodeFS(unfinished) });
  await pglite.close();
  await syncTree(unfinished);
  await rename(unfinished, folder);
  await syncOne(dataDir);
  return folder;
}

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else await syncOne(path);
  }
  await syncOne(folder);
}

async function syncOne(path: string): Promise<void> {
  await using handle = await open(path, "r");
  await handle.sync();
}
