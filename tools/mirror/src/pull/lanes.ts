// So many downloads at a time, whoever wants them; and what two want is fetched for the first, so that the second finds it.

import { Turns } from "@waybill/oci/turns";

export class Lanes {
  readonly #turns: Turns;
  readonly #byKey = new Map<string, Promise<unknown>>();

  constructor(count: number) {
    this.#turns = new Turns(count);
  }

  /** Runs work when there is room, and never two of the same key at once. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#byKey.get(key);
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#turns.take(work));
    this.#byKey.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#byKey.get(key) === mine) this.#byKey.delete(key);
    }
  }
}
