// Stops asking an upstream that doesn't answer, so that nobody waits for it again and again. After a pause one request tries; if it
// fails too, the next pause is longer.

const FAILURES = 3;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

export type BreakerState = "closed" | "open" | "probing";

export class Breaker {
  #failures = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #until = 0;
  #probing = false;
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  get state(): BreakerState {
    if (this.#probing) return "probing";
    return this.#until > this.#now() ? "open" : "closed";
  }

  /** In how many milliseconds the next request may go out; 0 for now, and then the caller must tell how it went. */
  admit(): number {
    const left = this.#until - this.#now();
    if (left > 0) return left;
    if (this.#probing) return FIRST_PAUSE_MS;
    this.#probing = this.#failures >= FAILURES;
    return 0;
  }

  /** It answered, whatever it said. */
  succeed(): void {
    this.#failures = 0;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#until = 0;
    this.#probing = false;
  }

  fail(): void {
    this.#failures++;
    this.#probing = false;
    if (this.#failures < FAILURES) return;
    this.#until = this.#now() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  /** The upstream asked for a pause itself (429). */
  rest(ms: number): void {
    this.#probing = false;
    this.#until = Math.max(this.#until, this.#now() + Math.min(ms, LONGEST_PAUSE_MS));
  }
}
