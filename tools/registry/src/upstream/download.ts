// A blob that is coming, and everyone who reads it. The file stays open until it is stored (or failed) and nobody reads it any more.

import { rm } from "node:fs/promises";
import type { Source } from "../source.ts";
import type { Arrival } from "./arrival.ts";

export class Download {
  readonly arrival: Arrival;
  /** Kept when the blob is in the store. */
  readonly stored: Promise<void>;
  #readers = 0;
  #ended = false;
  #closed = false;

  /** @param store takes the verified file, @param file where it is until then */
  constructor(arrival: Arrival, file: string, store: () => Promise<void>) {
    this.arrival = arrival;
    this.stored = arrival.verified.then(store).finally(async () => {
      this.#ended = true;
      await rm(file, { force: true });
      await this.#close();
    });
    this.stored.catch(() => {}); // Readers hear of it from the arrival.
  }

  /** Undefined once it is over and nobody reads it: then the blob is in the store, or isn't. */
  reader(): Source | undefined {
    if (this.#closed) return undefined;
    const { arrival } = this;
    this.#readers++;
    let open = true;
    const close = async (): Promise<void> => {
      if (!open) return;
      open = false;
      this.#readers--;
      await this.#close();
    };
    return { size: arrival.size, read: (position, end) => arrival.read(position, end), close };
  }

  async #close(): Promise<void> {
    if (!this.#ended || this.#readers > 0 || this.#closed) return;
    this.#closed = true;
    await this.arrival.handle.close();
  }
}
