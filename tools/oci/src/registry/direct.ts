// The body of an answer, straight from the socket into memory that is used again. Node's HTTP client gives each 64 KB of a body new
// memory, twice: the socket's, and the parser's copy. To make, fault in and collect that takes more than twice as long as to read and
// hash the bytes. So connections read into memory of ours (`onread` of node:net). What comes is handed on to the parser as ever, until
// a body is taken over: of that the parser sees nothing more, which is why its connection can't be kept for another request.

import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { OnReadOpts } from "node:net";
import { Slab } from "./slab.ts";
import type { Chunk } from "./slab.ts";

/** What isn't worth a read of its own, in bytes. TLS brings 16 KB at a time. */
const LEAST = 32 * 1024;
/** What may wait to be taken, in bytes; then the sender waits. */
const MOST_WAITING = 512 * 1024;
/** Shorter bodies aren't worth a connection, in bytes. */
const WORTHWHILE = 1024 * 1024;

/** A connection whose bodies can be taken over. */
interface Tap {
  body: DirectBody | undefined;
}

const taps = new WeakMap<Socket, Tap>();
/** Where connections read what is the parser's. One for all: it is handed on as a copy, at once. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** To be laid over the options of a new connection. */
export function tapped(): { onread: OnReadOpts } {
  const tap: Tap = { body: undefined };
  const callback = function (this: unknown, count: number, memory: Uint8Array): boolean {
    // Node calls it as a method of the socket, and stops reading when it says false.
    const socket = this as Socket;
    taps.set(socket, tap);
    return tap.body?.take(count, memory) ?? socket.push(Buffer.from(memory.subarray(0, count)));
  };
  return { onread: { buffer: () => tap.body?.room() ?? scratch, callback } };
}

/**
 * Takes over an answer's body, of which nothing was read yet. Its connection is closed at the end.
 * @returns undefined where that can't be done, or isn't worth it: the body is to be read as ever
 */
export function takeOver(message: IncomingMessage): AsyncIterableIterator<Chunk> | undefined {
  const { socket, headers } = message;
  const tap = taps.get(socket);
  const length = Number(headers["content-length"]);
  if (tap === undefined || socket.destroyed || !(length - message.readableLength >= WORTHWHILE)) return undefined;
  // What was read already goes through the parser.
  while (socket.readableLength > 0) if (socket.read() === null) return undefined;
  return (tap.body = new DirectBody(message, length, () => (tap.body = undefined)));
}

/** Bytes that wait: of a slab, or the collector's. */
interface Waiting {
  bytes?: Uint8Array;
  slab?: Slab;
  start: number;
  end: number;
}

class DirectBody implements AsyncIterableIterator<Chunk> {
  readonly #message: IncomingMessage;
  readonly #onEnd: () => void;
  /** Bytes that are still to come. */
  #left: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #slab: Slab | undefined;
  #failure: Error | undefined;
  #wake = (): void => {};

  constructor(message: IncomingMessage, length: number, onEnd: () => void) {
    this.#message = message;
    this.#left = length;
    this.#onEnd = onEnd;
    // What the parser has seen already.
    for (let bytes: Buffer | null; (bytes = message.read() as Buffer | null) !== null;)
      this.#add({ bytes, start: 0, end: bytes.length });
    message.socket.once("close", () => this.#fail()).resume();
  }

  /** Where the next bytes are to go. */
  room(): Uint8Array {
    if (this.#slab === undefined || this.#slab.room.length < LEAST) {
      this.#slab?.close();
      this.#slab = Slab.take();
    }
    return this.#slab.room;
  }

  /** @returns false if no more shall come for now */
  take(count: number, memory: Uint8Array): boolean {
    const slab = this.#slab;
    if (memory === scratch || slab === undefined) {
      // It was to be read there when the body was not taken over yet.
      this.#add({ bytes: Buffer.from(memory.subarray(0, count)), start: 0, end: count });
    } else {
      const start = slab.filled;
      slab.fill(count);
      this.#add({ slab, start, end: start + count });
    }
    if (this.#left === 0) this.#end();
    this.#wake();
    return this.#waitingBytes < MOST_WAITING;
  }

  async next(): Promise<IteratorResult<Chunk, undefined>> {
    for (;;) {
      const value = this.#shift();
      if (value !== undefined) return { done: false, value };
      if (this.#left === 0) return { done: true, value: undefined };
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** For who has enough. */
  return(): Promise<IteratorResult<Chunk, undefined>> {
    this.#waiting = [];
    this.#left = 0;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #add(came: Waiting): void {
    // A server that sends more than it said is cut off.
    const end = Math.min(came.end, came.start + this.#left);
    this.#left -= end - came.start;
    this.#waitingBytes += end - came.start;
    const last = this.#waiting.at(-1);
    if (came.slab !== undefined && last?.slab === came.slab && last.end === came.start) last.end = end;
    else {
      came.slab?.hold();
      this.#waiting.push({ ...came, end });
    }
  }

  #shift(): Chunk | undefined {
    const first = this.#waiting.shift();
    if (first === undefined) return undefined;
    const { bytes, slab, start, end } = first;
    this.#waitingBytes -= end - start;
    if (this.#left > 0 && this.#waitingBytes < MOST_WAITING) this.#message.socket.resume();
    return slab?.chunk(start, end) ?? { bytes: (bytes as Uint8Array).subarray(start, end) };
  }

  #fail(): void {
    if (this.#left === 0) return;
    const { errored, socket } = this.#message;
    this.#failure = errored ?? socket.errored ?? new Error("the connection was closed in the middle");
    this.#end();
    this.#wake();
  }

  #end(): void {
    this.#onEnd();
    this.#slab?.close();
    this.#slab = undefined;
    this.#message.socket.destroy();
  }
}
