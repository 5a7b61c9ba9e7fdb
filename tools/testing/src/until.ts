// Waits for a condition of something that can only be asked.

import { setTimeout as pause } from "node:timers/promises";

const PAUSE_MS = 100;

/**
 * Asks again and again until the answer is one: anything but undefined and false.
 * @param what is waited for, for the error
 * @throws {Error} time is up; `ask` itself throws where waiting longer is of no use
 */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>, limitMs = 60_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await pause(PAUSE_MS);
  }
}
