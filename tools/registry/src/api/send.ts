// Sends a file's bytes. Node has no sendfile, so what counts is few, large steps: a read of the next part runs in the thread pool
// while the kernel takes the last one, and buffers are used again, so that memory is two buffers a client.

import type { ServerResponse } from "node:http";
import type { Source } from "../source.ts";

/** In bytes. Larger ones gain nothing: what is read should still be in the processor's cache when it is written. */
const PART = 128 * 1024;
const spare: Buffer[] = [];
const MOST_SPARE = 64;

/** The client went away; nothing to report. */
export class Gone extends Error {
  override name = "Gone";
}

/**
 * Writes the bytes from `start` to `end` (exclusive; undefined for all there will be). Head and end of the answer are the caller's.
 * @returns how many bytes were written
 * @throws {Gone} the client left; or whatever the source fails with
 */
export async function sendBytes(
  response: ServerResponse,
  source: Source,
  start: number,
  end?: number,
): Promise<number> {
  const presence = new Presence(response);
  let position = start;
  let next: Promise<Buffer> | undefined = readPart(source, position, end);
  try {
    while (next !== undefined) {
      const part: Buffer = await presence.during(next);
      position += part.length;
      const more: boolean = part.length > 0 && (end === undefined || position < end);
      next = more ? readPart(source, position, end) : undefined;
      if (part.length > 0) await presence.during(written(response, part));
      giveBack(part);
    }
    return position - start;
  } finally {
    // What is still being read into, or written, is left to the collector.
    next?.catch(() => {});
    presence.end();
  }
}

/** Ends a wait when the client leaves. (A race against one long promise would keep each of its rounds in memory.) */
class Presence {
  readonly #response: ServerResponse;
  #leave: ((reason: Gone) => void) | undefined;
  readonly #onClose = (): void => this.#leave?.(new Gone("the client left"));

  constructor(response: ServerResponse) {
    this.#response = response;
    response.once("close", this.#onClose);
  }

  async during<T>(work: Promise<T>): Promise<T> {
    if (this.#response.destroyed) {
      work.catch(() => {});
      throw new Gone("the client left");
    }
    return await new Promise<T>((resolve, reject) => {
      this.#leave = reject;
      work.then(resolve, reject);
    });
  }

  end(): void {
    this.#response.off("close", this.#onClose);
  }
}

async function readPart({ handle, until }: Source, position: number, end = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const there = Math.min(end, await until(position));
  if (there <= position) return Buffer.alloc(0);
  const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(PART);
  const { bytesRead } = await handle.read(buffer, 0, Math.min(PART, there - position), position);
  return bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead);
}

/** Kept when the kernel has the bytes: only then may the buffer be used again. */
async function written(response: ServerResponse, part: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.write(part, (error) => (error ? reject(new Gone(error.message)) : resolve()));
  });
}

function giveBack(part: Buffer): void {
  if (part.length === 0 || spare.length >= MOST_SPARE) return;
  spare.push(part.length === PART ? part : Buffer.from(part.buffer, 0, PART));
}
