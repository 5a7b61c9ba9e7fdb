// A blob on its way here: one download, for any number of clients. It is written to a file as it comes. Who keeps up is given the bytes
// from memory, and doesn't wait for the disk; who is slower reads them from the file, so that memory stays flat. The last byte is held
// back until the digest is right: what doesn't verify is never received whole, and is not stored.

import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { splitDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import { messageOf } from "@waybill/oci/error";
import type { Chunk, OpenedBlob } from "@waybill/oci/registry";
import { cameIn } from "../memory.ts";
import { filePart, NO_MORE } from "../source.ts";
import type { Part } from "../source.ts";

/** What may wait for the disk, in bytes; then the upstream waits. */
const MOST_PENDING = 4 * 1024 * 1024;
/** What is kept in memory for clients that keep up, in bytes. */
const RECENT = 1024 * 1024;

export class ArrivalError extends Error {
  override name = "ArrivalError";
}

export class Arrival {
  /** As the upstream said, in bytes. */
  readonly size: number | undefined;
  readonly handle: FileHandle;
  /** Kept when all is here and verified; rejected when the download failed. */
  readonly verified: Promise<void>;
  readonly #recent = new Recent();
  #state: "coming" | "verified" | Error = "coming";
  #waiting: (() => void)[] = [];

  private constructor(handle: FileHandle, blob: OpenedBlob, digest: Digest) {
    this.handle = handle;
    this.size = blob.size;
    this.verified = this.#receive(blob.body, digest).then(
      () => this.#settle("verified"),
      (error: unknown) => {
        const failure = new ArrivalError(`the download failed: ${messageOf(error)}`, { cause: error });
        this.#settle(failure);
        throw failure;
      },
    );
    this.verified.catch(() => {}); // Clients that wait hear of it through `until`.
  }

  /** Begins to write `file`. */
  static async begin(file: string, blob: OpenedBlob, digest: Digest): Promise<Arrival> {
    return new Arrival(await open(file, "wx+"), blob, digest);
  }

  /** @throws {ArrivalError} the download failed */
  async read(position: number, end = Number.POSITIVE_INFINITY): Promise<Part> {
    for (;;) {
      if (this.#state instanceof Error) throw this.#state;
      const there = Math.min(end, this.#state === "verified" ? this.#recent.end : this.#recent.end - 1);
      if (there > position) return this.#recent.part(position, there) ?? (await this.#filePart(position, there));
      if (this.#state === "verified" || position >= end) return NO_MORE;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #filePart(position: number, end: number): Promise<Part> {
    return await filePart(this.handle, position, Math.min(end, this.#recent.start));
  }

  async #receive(body: OpenedBlob["body"], digest: Digest): Promise<void> {
    const { algorithm } = splitDigest(digest);
    const hash = createHash(algorithm);
    const writer = new Writer(this.handle, (written) => this.#recent.forget(written));
    for await (const chunk of body) {
      const { length } = chunk.bytes;
      if (this.size !== undefined && writer.taken + length > this.size)
        throw new Error(`more than ${this.size} bytes came`);
      hash.update(chunk.bytes);
      const held = this.#recent.add(chunk);
      this.#wake();
      await writer.take(held);
      if (chunk.release === undefined) cameIn(length);
    }
    await writer.flush();
    if (this.size !== undefined && writer.taken !== this.size)
      throw new Error(`${writer.taken} of ${this.size} bytes came`);
    const actual = `${algorithm}:${hash.digest("hex")}`;
    if (actual !== digest) throw new Error(`what came is ${actual}`);
  }

  #settle(state: "verified" | Error): void {
    this.#state = state;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A chunk and its place in the blob, for as long as somebody needs it. */
class Held {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly #chunk: Chunk;
  #holders = 0;

  constructor(start: number, chunk: Chunk) {
    this.start = start;
    this.bytes = chunk.bytes;
    this.#chunk = chunk;
  }

  get end(): number {
    return this.start + this.bytes.length;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.#chunk.release?.();
  }
}

/** The bytes that came last. What is not in the file yet is always among them. */
class Recent {
  /** Up to where bytes have come. */
  end = 0;
  #chunks: Held[] = [];

  /** From where on bytes are here. */
  get start(): number {
    return this.#chunks[0]?.start ?? this.end;
  }

  add(chunk: Chunk): Held {
    const held = new Held(this.end, chunk).hold();
    this.#chunks.push(held);
    this.end = held.end;
    return held;
  }

  /** @param written up to where the file has them */
  forget(written: number): void {
    const oldest = Math.min(written, this.end - RECENT);
    while (this.#chunks[0] !== undefined && this.#chunks[0].end <= oldest) this.#chunks.shift()?.release();
  }

  part(position: number, end: number): Part | undefined {
    const held = this.#chunks.find(({ start, end: last }) => start <= position && position < last)?.hold();
    if (held === undefined) return undefined;
    const { buffer, byteOffset, byteLength } = held.bytes;
    const whole = Buffer.from(buffer, byteOffset, byteLength);
    // What was not sent may still be written from: it is never given back.
    return {
      bytes: whole.subarray(position - held.start, end - held.start),
      release: (sent) => void (sent && held.release()),
    };
  }
}

/** Writes while more comes: what gathers during a write goes with the next one. */
class Writer {
  taken = 0;
  readonly #handle: FileHandle;
  readonly #onWritten: (written: number) => void;
  #pending: Held[] = [];
  #pendingBytes = 0;
  #written = 0;
  #writing: Promise<void> | undefined;

  constructor(handle: FileHandle, onWritten: (written: number) => void) {
    this.#handle = handle;
    this.#onWritten = onWritten;
  }

  async take(held: Held): Promise<void> {
    this.#pending.push(held.hold());
    this.#pendingBytes += held.bytes.length;
    this.taken = held.end;
    this.#writing ??= this.#write();
    // A failure shows at the next chunk, or at the flush.
    this.#writing.catch(() => {});
    if (this.#pendingBytes > MOST_PENDING) await this.#writing;
  }

  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending;
      this.#pending = [];
      this.#pendingBytes = 0;
      const parts = batch.map(({ bytes }) => bytes);
      const length = parts.reduce((sum, { length }) => sum + length, 0);
      const { bytesWritten } = await this.#handle.writev(parts, this.#written);
      if (bytesWritten < length) throw Object.assign(new Error("the disk is full"), { code: "ENOSPC" });
      this.#written += length;
      for (const held of batch) held.release();
      this.#onWritten(this.#written);
    }
    this.#writing = undefined;
  }
}
