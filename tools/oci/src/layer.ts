// The entries of one layer, as they lie in its tar (image-spec, "Image Layer Filesystem Changeset"). Read as a stream: memory does
// not grow with the layer.

import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { Parser } from "tar";
import type { ReadEntry } from "tar";
import type { BlobStore } from "./blobstore.ts";
import type { Descriptor } from "./descriptor.ts";
import { verifying } from "./digest.ts";
import { messageOf, WaybillError } from "./error.ts";
import { compressionOf } from "./mediatype.ts";
import { decompressor } from "./unpacked.ts";

export type EntryType = "file" | "directory" | "symlink" | "hardlink" | "device" | "fifo";

export interface LayerEntry {
  /** From the image's root, without a leading or trailing slash: "usr/bin/env". Whiteouts have theirs: "usr/bin/.wh.env". */
  path: string;
  type: EntryType;
  /** Permissions with setuid, setgid and sticky: 0o4755. */
  mode: number;
  uid: number;
  gid: number;
  /** Bytes of the content; 0 for all but files. */
  size: number;
  /** Seconds since 1970. */
  mtime: number;
  /** Where a symlink points, as it is stored; the path a hardlink shares its content with, in the form of `path`. */
  link?: string;
  /** The content's first bytes; empty for all but files. */
  head: Buffer;
  /** Of a file's whole content, lower-case hexadecimal, where it was asked for. */
  sha256?: string;
}

export interface LayerOptions {
  /** How many of a file's first bytes are kept. Default 64. */
  headBytes?: number | ((path: string, size: number) => number);
  /** Hash the files. Default false. */
  hash?: boolean;
}

/**
 * Calls `visit` for each entry of a layer, in the order of its tar.
 * @throws {WaybillError} the layer isn't in the store, is damaged, or is no tar
 */
export async function readLayer(
  store: BlobStore,
  { digest, size, mediaType }: Pick<Descriptor, "digest" | "size" | "mediaType">,
  visit: (entry: LayerEntry) => void,
  options: LayerOptions = {},
): Promise<void> {
  const compression = compressionOf(mediaType);
  if (compression === undefined) throw new WaybillError(`media type ${mediaType} is no image layer`, { where: digest });
  const take = (tar: AsyncIterable<Buffer>): Promise<void> => readTar(tar, visit, options);
  try {
    await pipeline(store.readStream(digest), verifying(digest, size), decompressor(compression), take);
  } catch (cause) {
    const mend = "delete the file if it is there, then build or pull the image";
    throw new WaybillError(`layer can't be read (${messageOf(cause)})`, { where: store.path(digest), mend, cause });
  }
}

async function readTar(
  tar: AsyncIterable<Buffer>,
  visit: (entry: LayerEntry) => void,
  options: LayerOptions,
): Promise<void> {
  let failure: unknown;
  let empty = true;
  const parser = new Parser({ strict: true, onReadEntry: (entry) => readEntry(entry, visit, options) });
  parser.on("error", (error: unknown) => (failure ??= error));
  // A step that changes no file makes a tar of zeros alone, which the parser takes for no tar at all.
  const throwIfFailed = (): void => {
    if (failure !== undefined && !empty) throw failure;
  };
  for await (const chunk of tar) {
    empty &&= chunk.every((byte) => byte === 0);
    // Entries are taken as they come, so the parser never asks to wait.
    parser.write(chunk);
    throwIfFailed();
  }
  parser.end();
  throwIfFailed();
}

function readEntry(entry: ReadEntry, visit: (entry: LayerEntry) => void, options: LayerOptions): void {
  const type = typeOf(entry);
  if (type === undefined) return void entry.resume();
  const path = normalise(entry.path);
  const file = type === "file";
  const wanted = file ? headBytesOf(path, entry.size, options) : 0;
  const head: Buffer[] = [];
  const hash = file && options.hash ? createHash("sha256") : undefined;
  let kept = 0;
  entry.on("data", (chunk: Buffer) => {
    hash?.update(chunk);
    if (kept >= wanted) return;
    // A copy: a slice would keep the whole chunk in memory.
    const part = Buffer.from(chunk.subarray(0, wanted - kept));
    head.push(part);
    kept += part.length;
  });
  entry.on("end", () => {
    const { mode = 0, uid = 0, gid = 0, mtime, linkpath = "" } = entry;
    const seconds = Math.floor((mtime?.getTime() ?? 0) / 1000);
    const size = file ? entry.size : 0;
    const read: LayerEntry = {
      path,
      type,
      mode: mode & 0o7777,
      uid,
      gid,
      size,
      mtime: seconds,
      head: Buffer.concat(head),
    };
    if (type === "symlink") read.link = linkpath;
    if (type === "hardlink") read.link = normalise(linkpath);
    if (hash !== undefined) read.sha256 = hash.digest("hex");
    visit(read);
  });
}

function headBytesOf(path: string, size: number, { headBytes = 64 }: LayerOptions): number {
  return typeof headBytes === "number" ? headBytes : headBytes(path, size);
}

const TYPES: Record<string, EntryType> = {
  File: "file",
  OldFile: "file",
  ContiguousFile: "file",
  Directory: "directory",
  SymbolicLink: "symlink",
  Link: "hardlink",
  CharacterDevice: "device",
  BlockDevice: "device",
  FIFO: "fifo",
};

function typeOf({ type }: ReadEntry): EntryType | undefined {
  return TYPES[type];
}

function normalise(path: string): string {
  return path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");
}
