// What must not be swept although nothing names it yet: a blob that is being read, or that a client just asked about and so will not
// upload again. Kept in memory: a sweep runs in this process, or in none while this process is up. After a restart the links'
// times (repository.ts) say the same.

import type { Digest } from "@waybill/oci/digest";

export class Leases {
  readonly #until = new Map<Digest, number>();
  readonly #held = new Map<Digest, number>();
  readonly #graceMs: number;

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Someone asked about it just now. Call it before looking whether it is there. */
  touch(digest: Digest): void {
    if (this.#until.size > 10_000) this.#expire();
    this.#until.set(digest, Date.now() + this.#graceMs);
  }

  /** It is in use until the returned function is called. */
  hold(digest: Digest): () => void {
    this.#held.set(digest, (this.#held.get(digest) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      const left = (this.#held.get(digest) ?? 1) - 1;
      if (left > 0) this.#held.set(digest, left);
      else this.#held.delete(digest);
    };
  }

  active(digest: Digest): boolean {
    return this.#held.has(digest) || (this.#until.get(digest) ?? 0) > Date.now();
  }

  /** How many blobs are in use right now. */
  get held(): number {
    return this.#held.size;
  }

  #expire(): void {
    const now = Date.now();
    for (const [digest, until] of this.#until) if (until <= now) this.#until.delete(digest);
  }
}
