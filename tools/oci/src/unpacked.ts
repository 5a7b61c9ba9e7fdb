// How large a layer is once unpacked: the length of its tar. Finding out means decompressing it all, so the answer is kept beside
// the store's blobs; a digest's content can't change, so neither can the answer.

import { readFile } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { z } from "zod";
import { writeFileAtomic } from "./atomic.ts";
import type { BlobStore } from "./blobstore.ts";
import { canonicalJson } from "./canonical.ts";
import type { Descriptor } from "./descriptor.ts";
import { verifying } from "./digest.ts";
import type { Digest } from "./digest.ts";
import { messageOf, WaybillError } from "./error.ts";
import { compressionOf } from "./mediatype.ts";
import type { Compression } from "./mediatype.ts";

const metaSchema = z.object({ unpackedSize: z.int().nonnegative() });

/** The size of a layer's tar in bytes. Checks the layer's digest on the way, the first time. */
export async function unpackedSizeOf(store: BlobStore, layer: Descriptor): Promise<number> {
  const known = await recall(store, layer);
  if (known !== undefined) return known;
  const unpackedSize = await measure(store, layer);
  await remember(store, layer, unpackedSize);
  return unpackedSize;
}

async function measure(store: BlobStore, { digest, size, mediaType }: Descriptor): Promise<number> {
  const compression = compressionOf(mediaType);
  if (compression === undefined) throw new WaybillError(`media type ${mediaType} is no image layer`, { where: digest });
  let unpacked = 0;
  const count = async (tar: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of tar) unpacked += chunk.length;
  };
  try {
    await pipeline(store.readStream(digest), verifying(digest, size), decompressor(compression), count);
  } catch (cause) {
    const where = store.path(digest);
    throw new WaybillError(`layer can't be read (${messageOf(cause)})`, {
      where,
      mend: "delete the file and build again",
      cause,
    });
  }
  return unpacked;
}

export function decompressor(compression: Compression): Duplex {
  if (compression === "gzip") return createGunzip();
  if (compression === "zstd") return createZstdDecompress();
  return new PassThrough();
}

/** For who has counted already: the size of the tar of a layer that was just written. */
export async function rememberUnpackedSize(store: BlobStore, digest: Digest, unpackedSize: number): Promise<void> {
  await remember(store, { digest }, unpackedSize);
}

/** A note that is missing or spoilt is no failure: the layer itself can be asked again. */
async function recall(store: BlobStore, { digest }: Descriptor): Promise<number | undefined> {
  const text = await readFile(store.metaPath(digest), "utf8").catch(() => "");
  try {
    return metaSchema.parse(JSON.parse(text)).unpackedSize;
  } catch {
    return undefined;
  }
}

async function remember(store: BlobStore, { digest }: Pick<Descriptor, "digest">, unpackedSize: number): Promise<void> {
  try {
    await writeFileAtomic(store.metaPath(digest), canonicalJson({ unpackedSize }));
  } catch (error) {
    // A layout on a medium that can't be written (an air-gap bundle) is measured each time.
    if (!["EROFS", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
