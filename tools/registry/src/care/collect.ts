// Garbage collection: images that the rules let go are taken out of their repositories; then everything that a manifest still names is
// marked, and what is not marked is swept. An index may list platforms that aren't here: they are no reason to drop it. What is being
// read, or may be named in a moment, is leased (store/leases.ts) and stays.

import { unlinkSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@waybill/oci/digest";
import { isDigest } from "@waybill/oci/digest";
import { removeManifest } from "../api/manifests.ts";
import { formatName } from "../name.ts";
import type { Cared } from "../registry.ts";
import type { Held } from "../store/store.ts";
import { Graph } from "./graph.ts";
import { planEvictions } from "./lru.ts";
import { planRemovals } from "./policy.ts";
import type { Removal } from "./policy.ts";

const UPLOADS_EXPIRE_MS = 24 * 3_600_000;

export interface Collected {
  dryRun: boolean;
  /** What the rules let go: "team/api:pr-1", "team/api@sha256:…". */
  removed: string[];
  blobs: number;
  /** In bytes. */
  freed: number;
  /** Blobs that stay. */
  kept: number;
  /** Uploads that nobody went on with. */
  uploads: number;
  seconds: number;
}

/** @param dryRun shows what would go */
export async function collect(registry: Cared, dryRun: boolean): Promise<Collected> {
  const started = performance.now();
  const { store, config, log, metrics } = registry;
  const graph = new Graph(store);
  const removals = await planRemovals(store, graph, config.gc, Date.now());
  if (config.gc.maxSize !== undefined) removals.push(...(await planEvictions(store, graph, config.gc.maxSize)));
  if (!dryRun) for (const removal of removals) await carryOut(registry, removal);
  const marked = await mark(registry, graph, removals, dryRun);
  const swept = await sweep(registry, marked, dryRun);
  const uploads = dryRun ? 0 : await store.uploads.expire(UPLOADS_EXPIRE_MS);
  if (!dryRun) {
    metrics.add("waybill_registry_swept_blobs_total", {}, swept.blobs);
    metrics.add("waybill_registry_swept_bytes_total", {}, swept.freed);
  }
  const seconds = Math.round(performance.now() - started) / 1000;
  const result = { dryRun, removed: removals.flatMap(describe), ...swept, uploads, seconds };
  log("info", "collected", { dryRun, removed: result.removed.length, ...swept, uploads, seconds });
  return result;
}

function describe({ name, tags, manifests }: Removal): string[] {
  const text = formatName(name);
  return [...tags.map((tag) => `${text}:${tag}`), ...[...manifests].map((digest) => `${text}@${digest}`)];
}

async function carryOut(registry: Cared, { repository, tags, manifests }: Removal): Promise<void> {
  for (const tag of tags) await repository.deleteTag(tag);
  for (const digest of manifests) await removeManifest(registry, repository, digest);
}

/** Everything that stays because something names it. */
async function mark(
  registry: Cared,
  graph: Graph,
  removals: readonly Removal[],
  dryRun: boolean,
): Promise<Set<Digest>> {
  const marked = new Set<Digest>();
  for await (const held of registry.store.repositories()) {
    const going = removals.filter(({ repository }) => repository.folder === held.repository.folder);
    const gone = new Set(going.flatMap(({ manifests }) => [...manifests]));
    await markRepository(registry, graph, held, gone, marked, dryRun);
  }
  return marked;
}

async function markRepository(
  { config }: Cared,
  graph: Graph,
  { repository }: Held,
  gone: ReadonlySet<Digest>,
  marked: Set<Digest>,
  dryRun: boolean,
): Promise<void> {
  const named = new Set<Digest>();
  for (const digest of await repository.manifests()) {
    if (gone.has(digest)) continue;
    named.add(digest);
    for (const blob of (await graph.node(digest))?.blobs ?? []) named.add(blob.digest);
  }
  for (const digest of await repository.blobs()) {
    if (named.has(digest)) continue;
    // Someone asked about it not long ago, and may be about to name it.
    const recent = Date.now() - (await repository.lastUsed("_blobs", digest)) < config.gc.grace;
    if (recent) named.add(digest);
    else if (!dryRun) await repository.deleteBlob(digest);
  }
  for (const digest of named) marked.add(digest);
}

async function sweep(
  { store }: Cared,
  marked: ReadonlySet<Digest>,
  dryRun: boolean,
): Promise<{ blobs: number; freed: number; kept: number }> {
  const result = { blobs: 0, freed: 0, kept: 0 };
  for await (const { digest, path } of blobsOf(store.folder)) {
    const size =
      marked.has(digest) || store.vault.leases.active(digest)
        ? undefined
        : (await stat(path).catch(() => undefined))?.size;
    // Asked again after the wait, and deleted without another: nobody can come between.
    if (size === undefined || store.vault.leases.active(digest)) {
      result.kept++;
      continue;
    }
    if (!dryRun) {
      unlinkSync(path);
      await store.vault.stamps.forget(digest);
    }
    result.blobs++;
    result.freed += size;
  }
  return result;
}

export async function* blobsOf(folder: string): AsyncGenerator<{ digest: Digest; path: string }> {
  for (const algorithm of ["sha256", "sha512"]) {
    const names = await readdir(join(folder, "blobs", algorithm)).catch(() => [] as string[]);
    for (const name of names.sort()) {
      const digest = `${algorithm}:${name}`;
      // Files of writes under way have other names.
      if (isDigest(digest)) yield { digest, path: join(folder, "blobs", algorithm, name) };
    }
  }
}
