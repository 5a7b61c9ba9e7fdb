// Memory that what comes over the network is read into, again and again.

/** Bytes, and whose memory they are. */
export interface Chunk {
  bytes: Uint8Array;
  /** Gives the memory back, once: it is written anew, and nobody may look at `bytes` any more. Absent where the collector sees to it. */
  release?: () => void;
}

/** In bytes. */
const SLAB = 256 * 1024;
const MOST_SPARE = 16;
const spare: Slab[] = [];

/** Filled from its start to its end; free again when it is closed and all chunks of it are back. */
export class Slab {
  readonly #memory = Buffer.allocUnsafeSlow(SLAB);
  #filled = 0;
  #out = 0;
  #closed = false;

  static take(): Slab {
    const slab = spare.pop() ?? new Slab();
    slab.#filled = 0;
    slab.#closed = false;
    return slab;
  }

  /** Up to where it is filled, in bytes. */
  get filled(): number {
    return this.#filled;
  }

  /** What can still be filled. */
  get room(): Uint8Array {
    return this.#memory.subarray(this.#filled);
  }

  /** The next `count` bytes of the room are filled. */
  fill(count: number): void {
    this.#filled += count;
  }

  /** Keeps it from being filled anew until one more chunk is back. */
  hold(): void {
    this.#out++;
  }

  /** Bytes of it, for a `hold`. */
  chunk(start: number, end: number): Chunk {
    return { bytes: this.#memory.subarray(start, end), release: () => this.#giveBack() };
  }

  /** Nothing more will be filled. */
  close(): void {
    this.#closed = true;
    this.#reuse();
  }

  #giveBack(): void {
    this.#out--;
    this.#reuse();
  }

  #reuse(): void {
    if (this.#closed && this.#out === 0 && spare.length < MOST_SPARE) spare.push(this);
  }
}
