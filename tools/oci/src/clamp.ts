// Takes the time out of a layer's tar: what a build step writes carries the moment it was written, and would give each build
// another digest. Every other byte stays as the engine wrote it.
//
// A tar is blocks of 512 bytes (POSIX.1-2001 pax): a header, then the entry's content padded to a whole block. Times are in the
// header (mtime) and in pax records before it (mtime, atime, ctime with fractions of a second).

import { Transform } from "node:stream";
import type { TransformCallback } from "node:stream";
import { WaybillError } from "./error.ts";

const BLOCK = 512;
const PAX = "x";
const TIMES = new Set(["mtime", "atime", "ctime"]);
/** A pax header holds names and extended attributes; more than this is no layer of ours. */
const MAX_PAX_BYTES = 4 * 1024 * 1024;

/** A tar in, the same tar with every entry's time at 1970-01-01 out. */
export class ClampTimes extends Transform {
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of the current entry's content and padding that are still to come; they go through as they are. */
  #content = 0;
  /** After the first block of zeros nothing counts. */
  #ended = false;
  /** The header of the pax entry being gathered, and how long its records are. */
  #pax: { header: Buffer; size: number } | undefined;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    const whole = this.#pending.length === 0 && this.#content === 0 && this.#pax === undefined;
    // The end of the archive is two blocks of zeros. Programs pad it further, to sizes that the lost headers had a part in.
    this.push(Buffer.alloc(2 * BLOCK));
    done(whole ? null : new WaybillError("a layer's tar ends in the middle of an entry"));
  }

  /** Does what can be done with what is there; false when more must come first. */
  #step(): boolean {
    if (this.#ended) return this.#skip();
    if (this.#content > 0) return this.#passContent();
    if (this.#pax !== undefined) return this.#rewritePax(this.#pax);
    return this.#readHeader();
  }

  #skip(): boolean {
    this.#pending = Buffer.alloc(0);
    return false;
  }

  #passContent(): boolean {
    const part = this.#take(Math.min(this.#content, this.#pending.length));
    this.#content -= part.length;
    if (part.length > 0) this.push(part);
    return part.length > 0;
  }

  #readHeader(): boolean {
    if (this.#pending.length < BLOCK) return false;
    const header = Buffer.from(this.#take(BLOCK));
    if (header.every((byte) => byte === 0)) {
      this.#ended = true;
      return true;
    }
    const size = sizeOf(header);
    if (String.fromCharCode(header[156] ?? 0) === PAX) {
      if (size > MAX_PAX_BYTES) throw new WaybillError(`a pax header of ${size} bytes is too large`);
      this.#pax = { header, size };
      return true;
    }
    this.push(withoutTime(header));
    this.#content = padded(size);
    return true;
  }

  #rewritePax({ header, size }: { header: Buffer; size: number }): boolean {
    if (this.#pending.length < padded(size)) return false;
    const records = withoutTimes(this.#take(padded(size)).subarray(0, size));
    this.#pax = undefined;
    // Without records the header before the entry has nothing to say.
    if (records.length === 0) return true;
    header.write(`${records.length.toString(8).padStart(11, "0")}\0`, 124);
    this.push(withoutTime(header));
    this.push(Buffer.concat([records, Buffer.alloc(padded(records.length) - records.length)]));
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#pending.subarray(0, length);
    this.#pending = this.#pending.subarray(length);
    return taken;
  }
}

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** The content's size: octal, or base-256 with the first bit set (GNU, for 8 GiB and more). Links and folders have none. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(BigInt(`0x${field.toString("hex")}`) & ((1n << 95n) - 1n));
  const size = Number.parseInt(field.toString("latin1").replace(/[\0 ]/g, "") || "0", 8);
  if (!Number.isSafeInteger(size)) throw new WaybillError("a layer's tar has a broken header");
  return size;
}

function withoutTime(header: Buffer): Buffer {
  header.write("00000000000\0", 136);
  // GNU's own header keeps atime and ctime behind the device numbers; ustar has the name's prefix there.
  if (header.toString("latin1", 257, 265) === "ustar  \0") header.fill(0, 345, 369);
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

/** pax records are "LENGTH KEY=VALUE\n", LENGTH counting all of the record. */
function withoutTimes(records: Buffer): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < records.length;) {
    const space = records.indexOf(0x20, at);
    const length = Number.parseInt(records.toString("latin1", at, space), 10);
    const equals = records.indexOf(0x3d, space);
    if (space < 0 || equals < 0 || !(length > 0)) throw new WaybillError("a layer's tar has a broken pax record");
    if (!TIMES.has(records.toString("utf8", space + 1, equals))) kept.push(records.subarray(at, at + length));
    at += length;
  }
  return Buffer.concat(kept);
}
