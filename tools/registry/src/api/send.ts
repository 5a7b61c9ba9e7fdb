// Sends a blob's bytes. Node has no sendfile, so what counts is few, large steps: a part is read in the thread pool, then given to the
// kernel. Reading the next one meanwhile gains nothing where there are more clients than processors, and takes twice the memory.

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
  let part: Promise<Part> | undefined = first;
  try {
    while (part !== undefined) {
      const { bytes, release } = await presence.during(part);
      part = undefined;
      let sent = false;
      try {
        if (bytes.length > 0) await presence.during(written(response, bytes));
        sent = true;
      } finally {
        release(sent);
      }
      position += bytes.length;
      if (bytes.length > 0 && (end === undefined || position < end)) part = source.read(position, end);
    }
    return position - start;
  } finally {
    // The client left during a read.
    part?.then(({ release }) => release(true)).catch(() => {});
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
