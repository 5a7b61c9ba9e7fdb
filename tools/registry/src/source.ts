// Bytes to send: of a stored blob, or of one that is still coming.

import type { FileHandle } from "node:fs/promises";
import type { Digest } from "@waybill/oci/digest";
import type { Vault } from "./store/vault.ts";

export interface Source {
  /** In bytes; undefined for a download whose upstream told nothing. */
  size: number | undefined;
  /** The next bytes from `position` on, at most up to `end`; none at the end. Waits where they are still coming. */
  read(position: number, end?: number): Promise<Part>;
  close(): Promise<void>;
}

export interface Part {
  bytes: Buffer;
  /** Call it when the bytes are sent: their memory is used again. */
  release(): void;
}

/** A blob of the store, verified; undefined where there is none. Close it. */
export async function storedSource(vault: Vault, digest: Digest): Promise<Source | undefined> {
  const blob = await vault.open(digest);
  if (blob === undefined) return undefined;
  const { handle, size, close } = blob;
  return { size, close, read: (position, end = size) => filePart(handle, position, Math.min(end, size)) };
}

export const NO_MORE: Part = { bytes: Buffer.alloc(0), release() {} };

/** In bytes. Larger ones gain nothing: what is read should still be in the processor's cache when it is written. */
const PART = 128 * 1024;
const MOST_SPARE = 64;
const spare: Buffer[] = [];

/** Reads from a file, into memory that is used again and again. */
export async function filePart(handle: FileHandle, position: number, end: number): Promise<Part> {
  if (end <= position) return NO_MORE;
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(PART);
  const { bytesRead } = await handle.read(buffer, 0, Math.min(PART, end - position), position);
  const release = (): void => void (spare.length < MOST_SPARE && spare.push(buffer));
  return { bytes: bytesRead === PART ? buffer : buffer.subarray(0, bytesRead), release };
}
