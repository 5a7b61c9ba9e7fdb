// When something was last used is the time of its file, set at most once a minute: no write for each pull, nothing to flush.

import { utimes } from "node:fs/promises";

const EVERY_MS = 60_000;
const REMEMBERED = 50_000;

export class UsedTimes {
  readonly #touched = new Map<string, number>();

  /** @returns true if the file is there for sure; false if it isn't, or wasn't looked at because it was not long ago */
  async touch(file: string): Promise<boolean> {
    const now = Date.now();
    if (now - (this.#touched.get(file) ?? 0) < EVERY_MS) return false;
    const there = await utimes(file, new Date(now), new Date(now)).then(
      () => true,
      () => false, // Not there, or a disk that is read-only: then there is no sweep either.
    );
    if (this.#touched.size >= REMEMBERED) this.#touched.clear();
    if (there) this.#touched.set(file, now);
    return there;
  }
}
