// How the benches start programs: zx's `$`, whose templates quote each value, ended as a whole when the bench is.

import { $, ProcessOutput } from "zx";

const ending = new AbortController();

/** Quiet, and rejects with a ProcessOutput when the program fails. Takes options: sh({ cwd, env })`program ${args}`. */
export const sh = $({ quiet: true, signal: ending.signal });

/** Ends whatever runs. */
export const endPrograms = (): void => ending.abort();

/** process.env with changes over it; undefined takes a variable away. */
export function envWith(changes: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  const merged = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

/** What a failed program said last, for one line of ours. */
export function lastWords(failure: ProcessOutput): string {
  const lines = `${failure.stdout}\n${failure.stderr}`.split("\n").filter((line) => line.trim() !== "");
  return `exit code ${failure.exitCode}\n${lines.slice(-15).join("\n")}`;
}
