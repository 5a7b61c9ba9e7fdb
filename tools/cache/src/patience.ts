// A cache must never cost more than it saves: what the registry does not answer in time, or answers badly, ends the remote cache for
// the rest of the run, and is told once.

/** How long a registry may be silent, in milliseconds. */
export const PATIENCE_MS = 2_000;
const TICK_MS = 100;

/** Called on progress; `ms` is how long the next silence may be. */
export type Progress = (ms?: number) => void;

export class Patience {
  readonly #controller = new AbortController();
  readonly #off: Promise<never>;
  #fault: string | undefined;

  constructor() {
    const { promise, reject } = Promise.withResolvers<never>();
    this.signal.addEventListener("abort", () => reject(this.signal.reason as Error), { once: true });
    promise.catch(() => {});
    this.#off = promise;
  }

  /** Aborts all that is under way when the cache is off. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get isOff(): boolean {
    return this.signal.aborted;
  }

  /** The first thing that went wrong, as one line; `undefined` where nothing did. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Notes what went wrong; only the first is told. */
  note(fault: string): void {
    this.#fault ??= fault;
  }

  /** Ends the cache for this run. */
  turnOff(fault: string): void {
    if (this.isOff) return;
    this.note(`off for this run: ${fault}`);
    this.#controller.abort(new Error(fault));
  }

  /** Runs an action that may be silent for `PATIENCE_MS` at a time; a longer silence turns the cache off. */
  async with<T>(what: string, action: (progress: Progress) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    let left = PATIENCE_MS;
    const progress: Progress = (ms = PATIENCE_MS) => (left = Math.max(left, ms));
    // Counted in ticks, not by the clock: while this process itself is busy, it isn't the registry that keeps us waiting.
    const ticker = setInterval(() => {
      left -= TICK_MS;
      if (left <= 0) this.turnOff(`no answer within ${PATIENCE_MS / 1000} s, ${what}`);
    }, TICK_MS);
    ticker.unref();
    try {
      return await Promise.race([action(progress), this.#off]);
    } finally {
      clearInterval(ticker);
    }
  }
}
