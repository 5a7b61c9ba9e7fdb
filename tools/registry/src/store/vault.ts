// The store's blobs, none of which is given out unless it is what its name says. What is damaged leaves the store at once (into
// quarantine/), so that it can be fetched or pushed again.

import type { Stats } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder, writeFileAtomic } from "@waybill/oci/atomic";
import { BlobStore } from "@waybill/oci/blobstore";
import { digestOf, digestOfStream, splitDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import { Leases } from "./leases.ts";
import { Stamps } from "./stamps.ts";
import { Turns } from "@waybill/oci/turns";

/** Manifests are read into memory. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

/** Large files flushed at a time. Each holds a thread of Node's pool for as long as the disk takes; reads need the others. */
const FLUSHES = 2;

/** A verified blob, open for reading. `close` it. */
export interface OpenBlob {
  handle: FileHandle;
  /** In bytes. */
  size: number;
  close(): Promise<void>;
}

export interface VaultEvents {
  /** A blob was not what its name says, and is out of the store. */
  onDamage(digest: Digest, reason: string): void;
}

export class Vault {
  readonly blobs: BlobStore;
  readonly leases: Leases;
  readonly stamps: Stamps;
  readonly #incoming: string;
  readonly #quarantine: string;
  readonly #events: VaultEvents;
  readonly #flushing = new Turns(FLUSHES);
  readonly #verifying = new Map<Digest, Promise<boolean>>();

  constructor(folder: string, graceMs: number, events: VaultEvents) {
    this.blobs = new BlobStore(folder);
    this.leases = new Leases(graceMs);
    this.stamps = new Stamps(join(folder, "stamps"));
    this.#incoming = join(folder, "incoming");
    this.#quarantine = join(folder, "quarantine");
    this.#events = events;
  }

  /** Makes the folders, and clears away what a process that is no more had not finished. */
  async prepare(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true });
    for (const folder of [this.#incoming, join(this.blobs.root, "blobs", "sha256")])
      await mkdir(folder, { recursive: true });
  }

  /** A verified blob, undefined where there is none. The blob is leased. */
  async open(digest: Digest): Promise<OpenBlob | undefined> {
    this.leases.touch(digest);
    const release = this.leases.hold(digest);
    const handle = await openIfThere(this.blobs.path(digest));
    if (handle !== undefined) {
      const stats = await handle.stat();
      if (await this.#isSound(digest, handle, stats)) {
        return { handle, size: stats.size, close: async () => (release(), await handle.close()) };
      }
      await handle.close();
    }
    release();
    return undefined;
  }

  /** The size of a blob that is here and sound, in bytes. The blob is leased. */
  async size(digest: Digest): Promise<number | undefined> {
    this.leases.touch(digest);
    const stats = await stat(this.blobs.path(digest)).catch(ifMissing);
    if (stats === undefined) return undefined;
    if ((await this.stamps.verifiedAt(digest, stats)) !== undefined) return stats.size;
    const blob = await this.open(digest);
    await blob?.close();
    return blob?.size;
  }

  /** A manifest's bytes, verified as they are read. */
  async read(digest: Digest): Promise<Buffer | undefined> {
    this.leases.touch(digest);
    const handle = await openIfThere(this.blobs.path(digest));
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      const bytes = size > MAX_DOCUMENT_BYTES ? Buffer.alloc(0) : await handle.readFile();
      if (digestOf(bytes, splitDigest(digest).algorithm) === digest) return bytes;
    } finally {
      await handle.close();
    }
    await this.quarantine(digest, "it does not match its digest");
    return undefined;
  }

  /** @param durable false for what an upstream has too; it is verified whenever it is read */
  async put(bytes: Uint8Array, digest: Digest, durable = true): Promise<void> {
    this.leases.touch(digest);
    // What is answered for is written again: the copy that is there may not be on the disk yet.
    if (!durable && (await this.size(digest)) === bytes.length) return;
    await writeFileAtomic(this.blobs.path(digest), bytes, undefined, durable);
    await this.#stamp(digest);
  }

  /** A new file for bytes that aren't verified yet. Give it to `adopt`, or remove it. */
  newFile(id: string): string {
    return join(this.#incoming, id);
  }

  /** Takes a file, whose bytes the caller has verified, as a blob: flushed, then renamed. */
  async adopt(file: string, handle: FileHandle, digest: Digest): Promise<void> {
    this.leases.touch(digest);
    await this.#flushing.take(() => handle.datasync());
    const path = this.blobs.path(digest);
    await mkdir(dirname(path), { recursive: true });
    await rename(file, path);
    await syncFolder(dirname(path));
    await this.#stamp(digest);
  }

  /** Reads a blob whole. @returns false if it was damaged (it is in quarantine then), undefined where there is none */
  async verify(digest: Digest, pace?: (bytes: number) => Promise<void>): Promise<boolean | undefined> {
    const handle = await openIfThere(this.blobs.path(digest));
    if (handle === undefined) return undefined;
    try {
      return await this.#verify(digest, handle, await handle.stat(), pace);
    } finally {
      await handle.close();
    }
  }

  async quarantine(digest: Digest, reason: string): Promise<void> {
    await mkdir(this.#quarantine, { recursive: true });
    const { algorithm, hex } = splitDigest(digest);
    const moved = await rename(this.blobs.path(digest), join(this.#quarantine, `${algorithm}-${hex}`)).then(
      () => true,
      (error: NodeJS.ErrnoException) => ifMissing(error) !== undefined,
    );
    await this.stamps.forget(digest);
    if (moved) this.#events.onDamage(digest, reason);
  }

  /** What was damaged and is not back. */
  async damaged(): Promise<Digest[]> {
    const names = await readdir(this.#quarantine).catch(() => [] as string[]);
    const digests = names.map((name) => name.replace("-", ":") as Digest);
    const back = await Promise.all(digests.map((digest) => this.blobs.has(digest)));
    return digests.filter((_, i) => !back[i]);
  }

  /** Throws away the damaged remains of a blob that is back. */
  async dropRemains(digest: Digest): Promise<void> {
    const { algorithm, hex } = splitDigest(digest);
    await rm(join(this.#quarantine, `${algorithm}-${hex}`), { force: true });
  }

  async #isSound(digest: Digest, handle: FileHandle, stats: Stats): Promise<boolean> {
    if ((await this.stamps.verifiedAt(digest, stats)) !== undefined) return true;
    // Once for all who wait; each has a handle of its own.
    const running = this.#verifying.get(digest) ?? this.#verify(digest, handle, stats);
    this.#verifying.set(digest, running);
    try {
      return await running;
    } finally {
      this.#verifying.delete(digest);
    }
  }

  async #verify(
    digest: Digest,
    handle: FileHandle,
    stats: Stats,
    pace?: (bytes: number) => Promise<void>,
  ): Promise<boolean> {
    const { algorithm } = splitDigest(digest);
    const actual = await digestOfStream(chunksOf(handle, pace), algorithm);
    if (actual.digest === digest) {
      await this.stamps.set(digest, stats);
      return true;
    }
    // A sound copy may have come meanwhile: only the file that was read is moved away.
    const now = await stat(this.blobs.path(digest)).catch(ifMissing);
    if (now?.ino === stats.ino) await this.quarantine(digest, `its ${actual.size} bytes are ${actual.digest}`);
    return false;
  }

  async #stamp(digest: Digest): Promise<void> {
    await this.stamps.set(digest, await stat(this.blobs.path(digest)));
    await this.dropRemains(digest);
  }
}

const CHUNK = 256 * 1024;

/** Reads by position, so that the handle stays fit for others. One buffer, used again: take what you need before asking on. */
async function* chunksOf(handle: FileHandle, pace?: (bytes: number) => Promise<void>): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(buffer, 0, CHUNK, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
    await pace?.(bytesRead);
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  return await open(path, "r").catch(ifMissing);
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
