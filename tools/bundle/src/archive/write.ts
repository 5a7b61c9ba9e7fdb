// Writes a bundle: a folder, or a tar of it. Every blob's place in the tar is known before the first comes, so several come at a time
// and are written where they belong, and the same images are the same bytes whatever came first. Nothing is under the final name until
// all of it is.

import { randomUUID } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { BlobStore, type Digest, WaybillError, mapLimit, openAtomic, syncFolder } from "@waybill/oci";
import { blobName } from "../names.ts";
import { BLOCK, encodeHeader, padded } from "../tar/header.ts";
import type { ArchivePlan, PlannedBlob } from "./plan.ts";

/** Blobs under way at a time. */
const PARALLEL = 4;
/** No registry may be silent for so long: a file that nobody wrote to since is a dead process's. */
const DEAD_AFTER_MS = 3_600_000;

export interface WriteOptions {
  /** Called when a blob is in, whole. */
  onBlob?: ((blob: { digest: Digest; size: number }) => void) | undefined;
  /** Called as bytes come, with their number. */
  onBytes?: ((count: number) => void) | undefined;
  /** Ends the work; nothing is left behind then. */
  signal?: AbortSignal | undefined;
}

/** @param out a name that ends in .tar, or else a folder @throws {WaybillError} the folder is there, and not empty */
export async function writeBundle(out: string, plan: ArchivePlan, options: WriteOptions = {}): Promise<void> {
  await (out.endsWith(".tar") ? writeTar(out, plan, options) : writeFolder(out, plan, options));
}

/** Before anything is fetched: @throws {WaybillError} the folder is there, and not empty */
export async function assertWritable(out: string): Promise<void> {
  if (out.endsWith(".tar")) return;
  const found = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw new WaybillError(`a bundle can't be written there (${error.code})`, { where: out });
  });
  if (found.length > 0) throw new WaybillError("the folder is not empty", { where: out, mend: "choose a new one" });
}

async function writeTar(out: string, plan: ArchivePlan, options: WriteOptions): Promise<void> {
  await dropRemains(resolve(out));
  const file = await openAtomic(resolve(out));
  try {
    let at = 0;
    for (const name of foldersOf(plan)) at += await put(file.handle, encodeHeader({ name, size: 0, type: "5" }), at);
    for (const { name, bytes } of plan.documents) {
      at += await put(file.handle, encodeHeader({ name, size: bytes.length, type: "0" }), at);
      await put(file.handle, bytes, at);
      at += padded(bytes.length);
    }
    const places: { blob: PlannedBlob; at: number }[] = [];
    for (const blob of plan.blobs) {
      at += await put(file.handle, encodeHeader({ name: blobName(blob.digest), size: blob.size, type: "0" }), at);
      places.push({ blob, at });
      at += padded(blob.size);
    }
    // Two blocks of zeros end a tar; so is whatever nobody writes to.
    await file.handle.truncate(at + 2 * BLOCK);
    await mapLimit(places, PARALLEL, (place) => bring(place.blob, place.at, file.handle, options));
    options.signal?.throwIfAborted();
    await file.commit();
  } finally {
    await file.discard();
  }
}

/** What an archive left that was killed: as large as the bundle, and of no use. One under way is written to all the time. */
async function dropRemains(out: string): Promise<void> {
  const names = await readdir(dirname(out)).catch((): string[] => []);
  const remains = names.filter((name) => name.startsWith(`.${basename(out)}.`) && name.endsWith(".tmp"));
  for (const file of remains.map((name) => join(dirname(out), name))) {
    const stats = await stat(file).catch(() => undefined);
    if (stats?.isFile() && stats.mtimeMs < Date.now() - DEAD_AFTER_MS) await rm(file, { force: true });
  }
}

async function bring(blob: PlannedBlob, start: number, handle: FileHandle, options: WriteOptions): Promise<void> {
  let at = start;
  for await (const chunk of counted(blob, options)) at += await put(handle, chunk, at);
  options.onBlob?.(blob);
}

async function writeFolder(out: string, plan: ArchivePlan, options: WriteOptions): Promise<void> {
  const folder = resolve(out);
  const temporary = join(dirname(folder), `.${basename(folder)}.${randomUUID()}.tmp`);
  const store = new BlobStore(temporary);
  try {
    for (const name of foldersOf(plan)) await mkdir(join(temporary, name), { recursive: true });
    await mapLimit(plan.blobs, PARALLEL, async (blob) => {
      await store.write(blob.digest, counted(blob, options), blob.size);
      options.onBlob?.(blob);
    });
    for (const { name, bytes } of plan.documents) await writeFile(join(temporary, name), bytes, { flush: true });
    await syncFolder(temporary);
    options.signal?.throwIfAborted();
    // An empty folder may be there.
    await rmdir(folder).catch(() => {});
    await rename(temporary, folder);
    await syncFolder(dirname(folder));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

function foldersOf({ blobs }: ArchivePlan): string[] {
  const algorithms = new Set(["sha256", ...blobs.map(({ digest }) => digest.slice(0, digest.indexOf(":")))]);
  return ["blobs/", ...[...algorithms].sort().map((algorithm) => `blobs/${algorithm}/`)];
}

async function* counted(blob: PlannedBlob, { onBytes, signal }: WriteOptions): AsyncGenerator<Uint8Array> {
  const source = blob.bytes === undefined ? blob.open() : Readable.from([blob.bytes]);
  try {
    for await (const chunk of source as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted();
      onBytes?.(chunk.length);
      yield chunk;
    }
  } finally {
    source.destroy();
  }
}

/** @returns how many bytes that were */
async function put(handle: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
  return bytes.length;
}
