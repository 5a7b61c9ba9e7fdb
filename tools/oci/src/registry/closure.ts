// All that an image consists of: what a push sends, a pull fetches and a bundle holds.

import type { BlobStore } from "../blobstore.ts";
import type { Descriptor } from "../descriptor.ts";
import type { Digest } from "../digest.ts";
import { parseDocument } from "../document.ts";
import type { Document } from "../document.ts";
import { isDistributable } from "../mediatype.ts";

export interface Closure {
  /** Children before parents, so that they can be stored in this order; the image's own index or manifest is last. */
  manifests: Descriptor[];
  /** Configs and layers, each once. Layers that registries don't take are left out. */
  blobs: Descriptor[];
}

/** Reads a manifest or index, wherever it is. */
export type DocumentReader = (descriptor: Descriptor) => Promise<Uint8Array>;

/** Follows an image from its root to its layers. */
export async function closureOf(root: Descriptor, read: DocumentReader): Promise<Closure> {
  const closure: Closure = { manifests: [], blobs: [] };
  await walk(root, read, closure, new Set());
  return closure;
}

/** Reads documents from a store. */
export function readerOf(store: BlobStore): DocumentReader {
  return ({ digest }) => store.read(digest);
}

async function walk(node: Descriptor, read: DocumentReader, closure: Closure, seen: Set<Digest>): Promise<void> {
  if (seen.has(node.digest)) return;
  seen.add(node.digest);
  const document = parseDocument(await read(node), node.digest);
  if (document.kind === "index") {
    for (const child of document.index.manifests) await walk(child, read, closure, seen);
  } else {
    for (const blob of blobsOf(document)) {
      if (!seen.has(blob.digest)) closure.blobs.push(blob);
      seen.add(blob.digest);
    }
  }
  closure.manifests.push(node);
}

function blobsOf({ manifest }: Extract<Document, { kind: "manifest" }>): Descriptor[] {
  return [manifest.config, ...manifest.layers].filter(({ mediaType }) => isDistributable(mediaType));
}
