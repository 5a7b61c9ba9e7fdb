// A queue with a number of lanes: what comes while all are busy waits its turn.

export class Lane {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  readonly #running = new Set<Promise<unknown>>();

  constructor(lanes: number) {
    this.#free = lanes;
  }

  async run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#inTurn(action);
    this.#running.add(result);
    try {
      return await result;
    } finally {
      this.#running.delete(result);
    }
  }

  /** Resolves when nothing runs or waits any more. */
  async empty(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await action();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
