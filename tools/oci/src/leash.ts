// Ends a program before its time: on abort or time-out.

import type { ChildProcess } from "node:child_process";
import { basename } from "node:path";
import { signalGroup } from "./children.ts";
import { WaybillError } from "./error.ts";

/** How long a program has between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 5_000;

export interface LeashOptions {
  signal?: AbortSignal | undefined;
  timeoutMs?: number | undefined;
}

/** Ends a program on abort or time-out: SIGTERM, then SIGKILL, then whatever of its group is left. */
export class Leash {
  readonly #end: (signal: NodeJS.Signals) => void;
  readonly #options: LeashOptions;
  readonly #timers: NodeJS.Timeout[] = [];
  #ended: "aborted" | "timed out" | undefined;

  /** @param group true if the child leads a process group, which then ends as a whole */
  constructor(child: ChildProcess, group: boolean, options: LeashOptions) {
    this.#options = options;
    this.#end = (signal) => (group ? signalGroup(child, signal) : child.kill(signal));
    const { signal, timeoutMs } = options;
    signal?.addEventListener("abort", this.#abort, { once: true });
    if (timeoutMs !== undefined) this.#timers.push(setTimeout(() => this.#stop("timed out"), timeoutMs));
    child.once("exit", () => this.#ended && this.#end("SIGKILL"));
  }

  throwIfEnded(command: string): void {
    if (this.#ended === "aborted") this.#options.signal?.throwIfAborted();
    if (this.#ended === "timed out") {
      throw new WaybillError(`${basename(command)} did not end within ${this.#options.timeoutMs} ms`);
    }
  }

  drop(): void {
    this.#options.signal?.removeEventListener("abort", this.#abort);
    for (const timer of this.#timers) clearTimeout(timer);
  }

  readonly #abort = (): void => this.#stop("aborted");

  #stop(reason: "aborted" | "timed out"): void {
    this.#ended ??= reason;
    this.#end("SIGTERM");
    this.#timers.push(setTimeout(() => this.#end("SIGKILL"), GRACE_MS));
  }
}
