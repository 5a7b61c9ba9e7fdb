// Fetches an image by digest into the store. Every byte is checked; blobs that are here already are not fetched, so a pull that was
// broken off goes on where it stopped.

import type { Readable } from "node:stream";
import type { BlobStore } from "../blobstore.ts";
import type { Descriptor } from "../descriptor.ts";
import { splitDigest } from "../digest.ts";
import type { Digest } from "../digest.ts";
import { WaybillError } from "../error.ts";
import { mapLimit } from "../parallel.ts";
import type { RegistryClient } from "./client.ts";
import { closureOf } from "./closure.ts";

/** Blobs under way at a time. */
const PARALLEL = 4;

export interface PullOptions {
  onProgress?: ((progress: { digest: Digest; size: number; action: "exists" | "fetched" }) => void) | undefined;
  /** Called as the bytes of blobs come, with their number. */
  onBytes?: ((count: number) => void) | undefined;
}

/**
 * Brings a whole image, all platforms, into the store. Manifests are stored after their blobs and the image's own index last: an
 * index in the store has all it names.
 * @returns the descriptor of the image's index (or manifest)
 */
export async function pull(
  client: RegistryClient,
  repository: string,
  digest: Digest,
  store: BlobStore,
  { onProgress = () => {}, onBytes = () => {} }: PullOptions = {},
): Promise<Descriptor> {
  const { bytes, ...root } = await manifestOf(client, repository, digest);
  const documents = new Map([[digest, bytes]]);
  const { blobs } = await closureOf(root, async (node) => {
    const document = documents.get(node.digest) ?? (await manifestOf(client, repository, node.digest)).bytes;
    documents.set(node.digest, document);
    return document;
  });
  await mapLimit(blobs, PARALLEL, async (blob) => {
    const here = await store.has(blob.digest, blob.size);
    const bytes = (): Readable => client.blobs.get(repository, blob.digest, blob.size);
    if (!here) await store.write(blob.digest, counted(bytes(), onBytes), blob.size);
    onProgress({ digest: blob.digest, size: blob.size, action: here ? "exists" : "fetched" });
  });
  // In the order of their kin: a map keeps parents before children, as they were met.
  for (const [name, document] of [...documents].toReversed()) await store.put(document, splitDigest(name).algorithm);
  return root;
}

async function* counted(bytes: Readable, onBytes: (count: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes as AsyncIterable<Uint8Array>) {
    onBytes(chunk.length);
    yield chunk;
  }
}

async function manifestOf(client: RegistryClient, repository: string, digest: Digest) {
  const found = await client.getManifest(repository, digest);
  if (found !== undefined) return found;
  const where = `${client.registry}/${repository}@${digest}`;
  throw new WaybillError("the registry has no such image", { where, mend: "build it, or push it there first" });
}
