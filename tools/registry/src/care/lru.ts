// Which images of upstreams go when they take more room than they may: the longest unused first. What was pushed is not touched, and
// a blob counts once, however many images share it.

import type { Digest } from "@waybill/oci/digest";
import type { Held, Store } from "../store/store.ts";
import type { Graph } from "./graph.ts";
import type { Removal } from "./policy.ts";

interface Image extends Held {
  manifests: Set<Digest>;
  /** Every digest it needs, with its size in bytes. */
  content: Map<Digest, number>;
  used: number;
}

export async function planEvictions(store: Store, graph: Graph, maxSize: number): Promise<Removal[]> {
  const images = await upstreamImages(store, graph);
  const holders = new Map<Digest, number>();
  let total = 0;
  for (const { content } of images)
    for (const [digest, size] of content) {
      const count = holders.get(digest) ?? 0;
      if (count === 0) total += size;
      holders.set(digest, count + 1);
    }
  const evicted: Image[] = [];
  for (const image of images.sort((a, b) => a.used - b.used)) {
    if (total <= maxSize) break;
    evicted.push(image);
    for (const [digest, size] of image.content) {
      const left = (holders.get(digest) ?? 1) - 1;
      holders.set(digest, left);
      if (left === 0) total -= size;
    }
  }
  return await removalsOf(images, evicted);
}

/** Images by their topmost manifest: one that no index of the repository lists. */
async function upstreamImages(store: Store, graph: Graph): Promise<Image[]> {
  const images: Image[] = [];
  for await (const held of store.repositories()) {
    if (held.name.upstream === undefined) continue;
    const manifests = await held.repository.manifests();
    const listed = new Set<Digest>();
    for (const digest of manifests) for (const child of (await graph.node(digest))?.children ?? []) listed.add(child);
    for (const digest of manifests) if (!listed.has(digest)) images.push(await imageOf(store, graph, held, digest));
  }
  return images;
}

async function imageOf(store: Store, graph: Graph, held: Held, root: Digest): Promise<Image> {
  const manifests = await graph.reach(held.repository, root);
  const content = new Map<Digest, number>();
  let used = 0;
  for (const digest of manifests) {
    used = Math.max(used, await held.repository.lastUsed("_manifests", digest));
    const node = await graph.node(digest);
    content.set(digest, node?.size ?? 0);
    // Only what is here takes room: an image may be held in part.
    for (const blob of node?.blobs ?? [])
      if (await store.vault.blobs.has(blob.digest)) content.set(blob.digest, blob.size);
  }
  return { ...held, manifests, content, used };
}

async function removalsOf(images: Image[], evicted: Image[]): Promise<Removal[]> {
  const removals: Removal[] = [];
  for (const { name, repository, manifests } of evicted) {
    const staying = images.filter((image) => image.repository.folder === repository.folder && !evicted.includes(image));
    const kept = new Set(staying.flatMap((image) => [...image.manifests]));
    const gone = manifests.difference(kept);
    const tags: string[] = [];
    for (const tag of await repository.tags()) {
      const record = await repository.tag(tag);
      if (record && gone.has(record.digest)) tags.push(tag);
    }
    removals.push({ name, repository, tags, manifests: gone });
  }
  return removals;
}
