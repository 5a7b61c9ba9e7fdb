// Compresses a layer so that the same tar always gives the same bytes. A compressor may cut its blocks by how much it is given at a
// time, and Node tells it "this is the last" together with the last chunk or after it, as it happens to be busy or not: zstd then
// writes another header. So chunks have one size here, and the end comes when all of them are through.

import { once } from "node:events";
import type { Duplex } from "node:stream";
import { constants, createGzip, createZstdCompress } from "node:zlib";

/** How layers are stored: zstd at a level that is small or fast, or gzip for readers that know nothing else. */
export type LayerCompression = "small" | "fast" | "gzip";

/** Levels where zstd stops getting much smaller, and where it still is faster than the disk. */
const ZSTD_LEVEL = { small: 9, fast: 3 };
const CHUNK = 1024 * 1024;

/** @param tar chunks of any size */
export async function* pack(tar: AsyncIterable<Uint8Array>, compression: LayerCompression): AsyncGenerator<Buffer> {
  const compressor = compressorFor(compression);
  // A failure of the source ends the compressor, and so the loop below.
  const fed = feed(tar, compressor).catch((error: Error) => void compressor.destroy(error));
  for await (const chunk of compressor) yield chunk as Buffer;
  await fed;
}

function compressorFor(compression: LayerCompression): Duplex {
  if (compression === "gzip") return createGzip({ level: 9 });
  return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL[compression] } });
}

async function feed(tar: AsyncIterable<Uint8Array>, compressor: Duplex): Promise<void> {
  const closed = once(compressor, "close").catch(() => {});
  for await (const chunk of inChunks(tar)) {
    const written = new Promise<void>((resolve, reject) => {
      compressor.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
    // A reader that goes away destroys the compressor, which then calls no one back.
    await Promise.race([written, closed]);
    if (compressor.destroyed) return;
  }
  compressor.end();
}

/** The same bytes, all chunks but the last of one size. */
async function* inChunks(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let gathered: Uint8Array[] = [];
  let length = 0;
  for await (const part of tar) {
    for (let at = 0; at < part.length;) {
      const piece = part.subarray(at, at + CHUNK - length);
      gathered.push(piece);
      length += piece.length;
      at += piece.length;
      if (length < CHUNK) continue;
      yield Buffer.concat(gathered);
      gathered = [];
      length = 0;
    }
  }
  if (length > 0) yield Buffer.concat(gathered);
}
