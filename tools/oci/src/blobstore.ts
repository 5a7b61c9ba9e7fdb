// A folder of content named by digest (image-spec, "Image Layout": blobs/<algorithm>/<hex>). One folder a machine is shared by
// the layouts of all images, so a base's layers lie on the disk once.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import type { ReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { openAtomic, writeFileAtomic } from "./atomic.ts";
import { digestOf, digestOfStream, splitDigest, verifying } from "./digest.ts";
import type { Algorithm, Digest } from "./digest.ts";
import { WaybillError } from "./error.ts";

/** Manifests and configs are read into memory; the distribution spec lets registries stop at 4 MiB. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Only names the folder and the temporary file of a blob whose digest isn't known yet. */
const INCOMING: Digest = `sha256:${"0".repeat(64)}`;

export class BlobStore {
  /** Holds blobs/, and meta/ with facts about blobs that cost time to find out. */
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Where a blob lies, or would lie. */
  path(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.root, "blobs", algorithm, hex);
  }

  /** Where facts derived from a blob are kept: they can't change, as the blob can't. */
  metaPath(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.root, "meta", algorithm, `${hex}.json`);
  }

  /** The size of a blob in bytes, `undefined` where it isn't here. */
  async size(digest: Digest): Promise<number | undefined> {
    try {
      return (await stat(this.path(digest))).size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  /** True if the blob is here, in full where its size in bytes is given. Does not read it: see `verify`. */
  async has(digest: Digest, size?: number): Promise<boolean> {
    const actual = await this.size(digest);
    return actual !== undefined && (size === undefined || size === actual);
  }

  /** A small blob (manifest, config) in memory, its digest checked. */
  async read(digest: Digest): Promise<Buffer> {
    const size = await this.size(digest);
    if (size === undefined) throw missing(digest, this.path(digest));
    if (size > MAX_DOCUMENT_BYTES)
      throw new WaybillError(`${size} bytes are too many for a manifest`, { where: digest });
    const bytes = await readFile(this.path(digest));
    if (digestOf(bytes, splitDigest(digest).algorithm) !== digest) throw corrupt(digest, this.path(digest));
    return bytes;
  }

  /** The bytes from `start` on, unchecked. */
  readStream(digest: Digest, start = 0): ReadStream {
    return createReadStream(this.path(digest), { start });
  }

  /** Stores bytes under their own digest. `size` is in bytes. */
  async put(bytes: string | Uint8Array, algorithm?: Algorithm): Promise<{ digest: Digest; size: number }> {
    const digest = digestOf(bytes, algorithm);
    const size = Buffer.byteLength(bytes);
    if (!(await this.has(digest, size))) await writeFileAtomic(this.path(digest), bytes);
    return { digest, size };
  }

  /** Stores a stream whose digest is known; nothing appears unless digest and size (in bytes) are right. */
  async write(digest: Digest, source: Readable | AsyncIterable<Uint8Array>, size?: number): Promise<void> {
    const file = await openAtomic(this.path(digest));
    try {
      await pipeline(source, verifying(digest, size), (bytes) => writeFile(file.handle, bytes));
      await file.commit();
    } finally {
      await file.discard();
    }
  }

  /** Stores a stream whose digest nobody knows yet. */
  async add(source: AsyncIterable<Uint8Array>): Promise<{ digest: Digest; size: number }> {
    const file = await openAtomic(this.path(INCOMING));
    try {
      const hash = createHash("sha256");
      let size = 0;
      for await (const chunk of source) {
        hash.update(chunk);
        size += chunk.length;
        await file.handle.write(chunk);
      }
      const hex = hash.digest("hex");
      await file.commit(hex);
      return { digest: `sha256:${hex}`, size };
    } finally {
      await file.discard();
    }
  }

  /** Reads a whole blob again. @throws {WaybillError} it isn't here, or is not what its name says */
  async verify(digest: Digest): Promise<void> {
    if (!(await this.has(digest))) throw missing(digest, this.path(digest));
    const { algorithm } = splitDigest(digest);
    const actual = await digestOfStream(this.readStream(digest), algorithm);
    if (actual.digest !== digest) throw corrupt(digest, this.path(digest));
  }
}

function missing(digest: Digest, where: string): WaybillError {
  return new WaybillError(`${digest} is not in the store`, { where, mend: "build the image again, or pull it" });
}

function corrupt(digest: Digest, where: string): WaybillError {
  return new WaybillError(`${digest} is damaged on the disk`, {
    where,
    mend: "delete the file, then build or pull the image",
  });
}
