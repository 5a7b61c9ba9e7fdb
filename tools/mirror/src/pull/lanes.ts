// So many downloads at a time, whoever wants them; and what two want is fetched for the first, so that the second finds it.

export class Lanes {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #byKey = new Map<string, Promise<unknown>>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs work when there is room, and never two of the same key at once. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#byKey.get(key);
    const mine = (before ?? Promise.resolve()).catch(() => {}).then(() => this.#withRoom(work));
    this.#byKey.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#byKey.get(key) === mine) this.#byKey.delete(key);
    }
  }

  async #withRoom<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}
