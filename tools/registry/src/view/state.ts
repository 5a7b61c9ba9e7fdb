// What a registry holds and how it is: for the page, for `status`, for the gauges.

import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Care } from "../care/care.ts";
import type { Registry } from "../registry.ts";
import { formatName } from "../name.ts";
import type { Name } from "../name.ts";
import type { UpstreamHealth } from "../upstream/upstream.ts";

interface HeldRepository {
  name: Name;
  text: string;
  tags: number;
  manifests: number;
  /** Of its blobs that are here, in bytes; other repositories may share them. */
  size: number;
}

export interface State {
  repositories: HeldRepository[];
  /** Each blob once. */
  blobs: number;
  /** In bytes. */
  size: number;
  free: number;
  damaged: string[];
  uploads: number;
  downloads: number;
  /** Of manifests and blobs, how many were answered without bytes from an upstream; undefined before the first. */
  hitRate: number | undefined;
  upstreams: UpstreamHealth[];
  last: Care["last"];
}

export async function stateOf({ store, metrics, blobs, upstreams, care }: Registry): Promise<State> {
  const held = await sizesOf(store.folder);
  const repositories: HeldRepository[] = [];
  for await (const { name, repository } of store.repositories()) {
    const own = [...(await repository.blobs()), ...(await repository.manifests())];
    const size = own.reduce((sum, digest) => sum + (held.get(digest) ?? 0), 0);
    const manifests = (await repository.manifests()).length;
    repositories.push({ name, text: formatName(name), tags: (await repository.tags()).length, manifests, size });
  }
  const { bavail, bsize } = await statfs(store.folder);
  const served = metrics.total("waybill_registry_manifests_total") + metrics.total("waybill_registry_blobs_total");
  const missed =
    metrics.total("waybill_registry_manifests_total", { from: "miss" }) +
    metrics.total("waybill_registry_blobs_total", { from: "miss" });
  return {
    repositories,
    blobs: held.size,
    size: [...held.values()].reduce((sum, size) => sum + size, 0),
    free: bavail * bsize,
    damaged: await store.vault.damaged(),
    uploads: await store.uploads.count(),
    downloads: blobs.downloads,
    hitRate: served === 0 ? undefined : 1 - missed / served,
    upstreams: upstreams.health(),
    last: care.last,
  };
}

async function sizesOf(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const algorithm of ["sha256", "sha512"]) {
    const names = await readdir(join(folder, "blobs", algorithm)).catch(() => [] as string[]);
    for (const name of names) {
      const stats = name.startsWith(".")
        ? undefined
        : await stat(join(folder, "blobs", algorithm, name)).catch(() => undefined);
      if (stats) sizes.set(`${algorithm}:${name}`, stats.size);
    }
  }
  return sizes;
}
