// Sends a blob's bytes. Node has no sendfile, so what counts is few, large steps: the next part is read in the thread pool while the
// kernel takes the last one. Memory is two parts a client.

import type { ServerResponse } from "node:http";
import type { Part, Source } from "../source.ts";

/** The client went away; nothing to report. */
export class Gone extends Error {
  override name = "Gone";
}

/**
 * Writes the bytes from `start` to `end` (exclusive; undefined for all there will be). Head and end of the answer are the caller's.
 * @param first the part at `start`, if it was read already
 * @returns how many bytes were written
 * @throws {Gone} the client left; or whatever the source fails with
 */
export async function sendBytes(
  response: ServerResponse,
  source: Source,
  start: number,
  end?: number,
  first: Promise<Part> = source.read(start, end),
): Promise<number> {
  const presence = new Presence(response);
  let position = start;
  let next: Promise<Part> | undefined = first;
  try {
    while (next !== undefined) {
      const { bytes, release }: Part = await presence.during(next);
      position += bytes.length;
      const more: boolean = bytes.length > 0 && (end === undefined || position < end);
      next = more ? source.read(position, end) : undefined;
      if (bytes.length > 0) await presence.during(written(response, bytes));
      release();
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

/** Kept when the kernel has the bytes: only then may the buffer be used again. */
async function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(new Gone(error.message)) : resolve()));
  });
}
