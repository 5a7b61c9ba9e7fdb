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
  /** Gives their memory back, once. @param sent it may be used again; else the collector gets it when nobody writes from it any more */
  release(sent: boolean): void;
}

/** A blob of the store, verified; undefined where there is none. Close it. */
export async function storedSource(vault: Vault, digest: Digest): Promise<Source | undefined> {
  const blob = await vault.open(digest);
  if (blob === undefined) return undefined;
  const { handle, size, close } = blob;
  return { size, close, read: (position, end = size) => filePart(handle, position, Math.min(end, size)) };
}

export const NO_MORE: Part = { bytes: Buffer.alloc(0), release() {} };

/** In bytes. From half a megabyte on, a client costs less of the processor than its share of the copying. */
const LARGE = 512 * 1024;
/** What clients get while `MOST_LARGE` others have large parts, in bytes: memory stays flat, however many there are. */
const SMALL = 128 * 1024;
const MOST_LARGE = 16;

/** Buffers of one size that are used again and again. */
class Buffers {
  readonly #bytes: number;
  readonly #spare: Buffer[] = [];
  /** Given out and not back. */
  out = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  take(): Buffer {
    this.out++;
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#bytes);
  }

  giveBack(buffer: Buffer, again: boolean): void {
    this.out--;
    if (again && this.#spare.length < MOST_LARGE) this.#spare.push(buffer);
  }
}

const large = new Buffers(LARGE);
const small = new Buffers(SMALL);

/** Reads from a file, into memory that is used again and again. */
export async function filePart(handle: FileHandle, position: number, end: number): Promise<Part> {
  if (end <= position) return NO_MORE;
  const buffers = large.out < MOST_LARGE ? large : small;
  const buffer = buffers.take();
  try {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, end - position), position);
    return { bytes: buffer.subarray(0, bytesRead), release: (sent) => buffers.giveBack(buffer, sent) };
  } catch (error) {
    buffers.giveBack(buffer, true);
    throw error;
  }
}
