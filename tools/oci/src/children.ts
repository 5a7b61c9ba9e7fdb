// Child processes must not outlive us: a Ctrl-C or a kill of Waybill reaches the whole group of each program it runs. Piped
// children have process groups of their own (so that an abort ends their children too), hence the terminal's signals pass them by.

import { constants } from "node:os";
import type { ChildProcess } from "node:child_process";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const groups = new Set<ChildProcess>();

/** Ends `child`'s group when this process ends, until the returned function is called. */
export function endWithUs(child: ChildProcess): () => void {
  if (groups.size === 0) listen();
  groups.add(child);
  return () => {
    groups.delete(child);
    if (groups.size === 0) unlisten();
  };
}

/** Signals a child that leads a process group, and all in it. A group that is gone already is fine. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** The exit code a shell reports: 128 + the signal's number for a process that a signal ended. */
export function shellExitCode(code: number | null, signal: NodeJS.Signals | null): number {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : constants.signals[signal]);
}

function listen(): void {
  for (const signal of FORWARDED) process.on(signal, forward);
  process.on("exit", endAll);
}

function unlisten(): void {
  for (const signal of FORWARDED) process.off(signal, forward);
  process.off("exit", endAll);
}

function endAll(): void {
  for (const child of groups) signalGroup(child, "SIGTERM");
}

/** Passes the signal on; where nobody else handles it, dies of it as if no handler had been there. */
function forward(signal: NodeJS.Signals): void {
  for (const child of groups) signalGroup(child, signal);
  if (process.listenerCount(signal) > 1) return;
  unlisten();
  process.kill(process.pid, signal);
}
