// Uploads under way (distribution-spec, "Pushing blobs"): a file each, that grows. How far it got is the file's length, so an upload
// goes on after a crash where the client is told it stopped.

import { createHash, randomUUID } from "node:crypto";
import type { Hash } from "node:crypto";
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOfStream, splitDigest } from "@waybill/oci/digest";
import type { Algorithm, Digest } from "@waybill/oci/digest";
import { createReadStream } from "node:fs";
import { cameIn } from "../memory.ts";
import type { Vault } from "./vault.ts";

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Upload {
  id: string;
  /** How many bytes are here. */
  size: number;
}

/** What is known of an upload's bytes without reading them again. */
interface Running {
  hash: Hash;
  algorithm: Algorithm;
  size: number;
}

export class Uploads {
  readonly #folder: string;
  readonly #vault: Vault;
  readonly #running = new Map<string, Running>();
  readonly #busy = new Set<string>();

  constructor(folder: string, vault: Vault) {
    this.#folder = folder;
    this.#vault = vault;
  }

  async prepare(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
  }

  async begin(repository: string, algorithm: Algorithm = "sha256"): Promise<Upload> {
    const id = randomUUID();
    await mkdir(join(this.#folder, id));
    await writeFile(join(this.#folder, id, "repository"), repository);
    await writeFile(this.#data(id), "");
    this.#running.set(id, { hash: createHash(algorithm), algorithm, size: 0 });
    return { id, size: 0 };
  }

  /** An upload of this repository; undefined where there is none. */
  async find(repository: string, id: string): Promise<Upload | undefined> {
    if (!ID.test(id)) return undefined;
    const owner = await readFile(join(this.#folder, id, "repository"), "utf8").catch(() => undefined);
    if (owner !== repository) return undefined;
    const stats = await stat(this.#data(id)).catch(() => undefined);
    return stats && { id, size: stats.size };
  }

  /** Marks an upload as being written; two writers would mix their bytes. @returns false if another request is at it */
  take(id: string): boolean {
    if (this.#busy.has(id)) return false;
    this.#busy.add(id);
    return true;
  }

  giveBack(id: string): void {
    this.#busy.delete(id);
  }

  /** Appends what a request brings. Bytes that came before it broke off stay: the client may go on from there. */
  async append({ id, size }: Upload, source: AsyncIterable<Uint8Array>): Promise<number> {
    const running = this.#running.get(id);
    const hash = running?.size === size ? running.hash : undefined;
    // A hash of bytes that may not all have been written is worth nothing; it is put back at the end.
    this.#running.delete(id);
    const handle = await open(this.#data(id), "r+");
    let reached = size;
    try {
      for await (const batch of batches(source)) {
        for (const chunk of batch) hash?.update(chunk);
        const length = batch.reduce((sum, chunk) => sum + chunk.length, 0);
        const { bytesWritten } = await handle.writev(batch, reached);
        if (bytesWritten < length) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
        reached += length;
        cameIn(length);
      }
    } finally {
      await handle.close();
    }
    if (hash && running) this.#running.set(id, { ...running, hash, size: reached });
    return reached;
  }

  /** Makes the upload a blob. @returns its actual digest where that is another than `digest`; the upload is gone in any case */
  async finish({ id, size }: Upload, digest: Digest): Promise<Digest | undefined> {
    const { algorithm } = splitDigest(digest);
    const running = this.#running.get(id);
    const known = running?.size === size && running.algorithm === algorithm;
    const actual: Digest = known
      ? `${algorithm}:${running.hash.digest("hex")}`
      : (await digestOfStream(createReadStream(this.#data(id)), algorithm)).digest;
    if (actual === digest) await this.#keep(id, digest);
    await this.cancel(id);
    return actual === digest ? undefined : actual;
  }

  async cancel(id: string): Promise<void> {
    this.#running.delete(id);
    await rm(join(this.#folder, id), { recursive: true, force: true });
  }

  /** Removes uploads that nobody has written to for so long. @returns how many */
  async expire(olderThanMs: number): Promise<number> {
    let gone = 0;
    for (const id of await readdir(this.#folder)) {
      // One that is just being begun has no data yet.
      const folder = await stat(join(this.#folder, id)).catch(() => undefined);
      const data = await stat(this.#data(id)).catch(() => undefined);
      const written = Math.max(data?.mtimeMs ?? 0, folder?.mtimeMs ?? Date.now());
      if (this.#busy.has(id) || written > Date.now() - olderThanMs) continue;
      await this.cancel(id);
      gone++;
    }
    return gone;
  }

  /** Uploads there are, finished ones not counted. */
  async count(): Promise<number> {
    return (await readdir(this.#folder)).length;
  }

  async #keep(id: string, digest: Digest): Promise<void> {
    // Whoever pushes what is here already leaves it alone, unless it is damaged: `size` finds out.
    if ((await this.#vault.size(digest)) !== undefined) return;
    const handle = await open(this.#data(id), "r+");
    try {
      await this.#vault.adopt(this.#data(id), handle, digest);
    } finally {
      await handle.close();
    }
  }

  #data(id: string): string {
    return join(this.#folder, id, "data");
  }
}

const BATCH_BYTES = 1024 * 1024;

/** Gathers small chunks, so that a write is worth its while. */
async function* batches(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    batch.push(chunk);
    size += chunk.length;
    if (size < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}
