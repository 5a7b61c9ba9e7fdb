/**
 * Messages on the worker's socket: two big-endian u32 (bytes of JSON, bytes of payload), the JSON, the payload. The other end is
 * worker/ml_worker/frames.py.
 */

const HEADER = 8;

export interface Frame {
  readonly message: unknown;
  readonly payload: Buffer;
}

/** A message of ours; only the worker sends payloads. */
export function encodeFrame(message: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(text.length, 0);
  return Buffer.concat([header, text]);
}

/** Puts frames together from chunks as they come. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** The frames that the chunk completes. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    if (this.#length < HEADER) return undefined;
    const header = this.#peek(HEADER);
    const text = HEADER + header.readUInt32BE(0);
    const end = text + header.readUInt32BE(4);
    if (this.#length < end) return undefined;
    const all = this.#peek(this.#length);
    this.#chunks = end < all.length ? [all.subarray(end)] : [];
    this.#length -= end;
    return { message: JSON.parse(all.toString("utf8", HEADER, text)), payload: all.subarray(text, end) };
  }

  /** The first chunk holds `length` bytes after this: chunks are joined only where a frame needs it. */
  #peek(length: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= length) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
