// Opens a bundle, a folder or a tar: finds what is in it, and reads its lock. Whatever is said in it is unproven until verify.ts has
// been over it, but what no bundle can have is refused here.

import { createReadStream } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable, pipeline } from "node:stream";
import { type Descriptor, type Digest, WaybillError, digestOf, splitDigest, verifying } from "@waybill/oci";
import { type BundleLock, parseLock } from "../lock.ts";
import { INDEX_FILE, LAYOUT_FILE, LOCK_FILE, blobName, blobOfName, isDocumentName, isFolderName } from "../names.ts";
import { type Place, scanTar } from "../tar/scan.ts";

/** Manifests and configs are read into memory, and so are index.json and the lock, of which a blob takes 250 bytes. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;

export interface Bundle {
  /** As it was named. */
  readonly where: string;
  readonly lock: BundleLock;
  /** Of the lock's bytes. */
  readonly lockDigest: Digest;
  /** oci-layout and index.json. */
  readonly layout: { marker: Buffer; index: Buffer };
  /** What is in it, with sizes in bytes, in the order in which it lies there. */
  readonly blobs: ReadonlyMap<Digest, number>;
  /** A blob's bytes; the stream fails at its end where they are not the blob. */
  stream(digest: Digest): Readable;
  /** A manifest or a config, verified. */
  read(descriptor: Pick<Descriptor, "digest" | "size">): Promise<Buffer>;
  close(): Promise<void>;
}

/** Of all its blobs, in bytes. */
export const sizeOfBundle = ({ blobs }: Bundle): number => blobs.values().reduce((sum, size) => sum + size, 0);

/** A way to the files of a bundle. */
interface Files {
  places: Map<string, Place>;
  stream(name: string): Readable;
  close(): Promise<void>;
}

/** @throws {WaybillError} it is no bundle, or is damaged where that shows without reading all of it */
export async function openBundle(where: string): Promise<Bundle> {
  const stats = await lstat(where).catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`there is no such bundle (${cause.code})`, { where, cause });
  });
  const files = stats.isDirectory() ? await folderFiles(where) : await tarFiles(where);
  try {
    return await bundleOf(where, files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function bundleOf(where: string, files: Files): Promise<Bundle> {
  const marker = await documentOf(files, LAYOUT_FILE, where);
  const index = await documentOf(files, INDEX_FILE, where);
  const lock = await documentOf(files, LOCK_FILE, where);
  const blobs = new Map<Digest, number>();
  for (const [name, { size }] of files.places) {
    const digest = blobOfName(name);
    if (digest !== undefined) blobs.set(digest, size);
  }
  const stream = (digest: Digest): Readable =>
    // `pipeline` hands errors on to the stream it returns.
    pipeline(files.stream(blobName(digest)), verifying(digest, blobs.get(digest), where), () => {});
  return {
    where,
    lock: parseLock(lock, `${where} ${LOCK_FILE}`),
    lockDigest: digestOf(lock),
    layout: { marker, index },
    blobs,
    stream,
    async read({ digest, size }) {
      const held = blobs.get(digest);
      if (held === undefined) throw new WaybillError(`${digest} is not in the bundle`, { where });
      if (held !== size) throw new WaybillError(`${digest} has ${held} bytes, not ${size}`, { where });
      if (size > MAX_MANIFEST_BYTES)
        throw new WaybillError(`${size} bytes are too many for a manifest`, { where: digest });
      const bytes = Buffer.concat((await files.stream(blobName(digest)).toArray()) as Buffer[]);
      const actual = digestOf(bytes, splitDigest(digest).algorithm);
      if (actual === digest) return bytes;
      throw new WaybillError(`expected ${digest} but the content is ${actual}`, {
        where,
        mend: "copy the bundle again",
      });
    },
    close: files.close,
  };
}

async function tarFiles(where: string): Promise<Files> {
  const handle = await open(where, "r").catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`the bundle can't be read (${cause.code})`, { where, cause });
  });
  try {
    const places = await scanTar(handle, where, (name, type) => assertName(name, type, where));
    return { places, stream: (name) => streamOf(handle, places.get(name)), close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function streamOf(handle: FileHandle, { start, size } = { start: 0, size: 0 }): Readable {
  if (size === 0) return Readable.from([]);
  // By number: a stream that is given the handle itself would listen to it for as long as it is open.
  return createReadStream("", { fd: handle.fd, start, end: start + size - 1, autoClose: false });
}

async function folderFiles(where: string): Promise<Files> {
  const places = new Map<string, Place>();
  const look = async (path: string): Promise<void> => {
    for (const { name } of await readdir(join(where, path), { withFileTypes: true })) {
      const inner = path === "" ? name : `${path}/${name}`;
      const stats = await lstat(join(where, inner));
      if (!stats.isDirectory() && !stats.isFile())
        throw new WaybillError(`the bundle has ${inner}, which is no file: no bundle of ours does`, { where });
      assertName(inner, stats.isFile() ? "file" : "folder", where);
      if (stats.isFile()) places.set(inner, { start: 0, size: stats.size });
      else await look(inner);
    }
  };
  await look("");
  return { places, stream: (name) => createReadStream(join(where, name)), close: () => Promise.resolve() };
}

/** @throws {WaybillError} a name that no bundle has: outside of it, for one */
function assertName(name: string, type: "file" | "folder", where: string): void {
  const known = type === "folder" ? isFolderName(name) : isDocumentName(name) || blobOfName(name) !== undefined;
  if (known) return;
  throw new WaybillError(`the bundle has ${JSON.stringify(name.slice(0, 200))}: no bundle of ours does`, { where });
}

async function documentOf(files: Files, name: string, where: string): Promise<Buffer> {
  const place = files.places.get(name);
  if (place === undefined)
    throw new WaybillError(`no ${name} in it`, { where, mend: "is it a bundle of `waybill mirror archive`?" });
  if (place.size > MAX_DOCUMENT_BYTES) throw new WaybillError(`${name} of ${place.size} bytes is too large`, { where });
  return Buffer.concat((await files.stream(name).toArray()) as Buffer[]);
}
