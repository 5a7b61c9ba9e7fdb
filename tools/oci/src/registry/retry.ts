// Tries again what may succeed later: with growing, jittered pauses, or after as long as the registry asks for.

import { setTimeout as sleep } from "node:timers/promises";
import { RegistryError } from "./error.ts";

export interface RetryOptions {
  /** How often to try in all. */
  attempts: number;
  /** The first pause in milliseconds; each is twice the one before. */
  pauseMs: number;
  /** A registry that asks for a longer wait than this (milliseconds) has refused. */
  maxPauseMs: number;
}

export const DEFAULT_RETRY: RetryOptions = { attempts: 5, pauseMs: 250, maxPauseMs: 30_000 };

/** Runs `action` until it succeeds or fails for good. Only temporary RegistryErrors are tried again. */
export async function retrying<T>(
  action: () => Promise<T>,
  { attempts, pauseMs, maxPauseMs }: RetryOptions,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof RegistryError) || !error.temporary || attempt >= attempts) throw error;
      if ((error.retryAfterMs ?? 0) > maxPauseMs) throw error;
      const backoff = Math.min(pauseMs * 2 ** (attempt - 1), maxPauseMs) * (0.5 + Math.random() / 2);
      await sleep(error.retryAfterMs ?? backoff, undefined, signal === undefined ? {} : { signal });
    }
  }
}
