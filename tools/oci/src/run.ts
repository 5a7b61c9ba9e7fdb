// The one way Waybill starts a program: an argv array, never a shell string, and success and failure in one result shape.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { endWithUs, shellExitCode } from "./children.ts";
import { WaybillError } from "./error.ts";
import { Leash } from "./leash.ts";
import { LineSplitter } from "./lines.ts";

export interface RunOptions {
  cwd?: string | undefined;
  /** Laid over process.env; `undefined` takes a variable away. */
  env?: Record<string, string | undefined> | undefined;
  /** What the program reads on stdin; without it stdin is empty. Secrets go here, never into args. */
  input?: string | Uint8Array | Readable | undefined;
  /** Ends the program and its children; `run` then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Called with each line as it comes, without its line end. */
  onLine?: ((line: string, stream: "stdout" | "stderr") => void) | undefined;
  timeoutMs?: number | undefined;
  /** "inherit" gives the program our terminal; stdout and stderr of the result are then empty. Default "pipe". */
  stdio?: "pipe" | "inherit" | undefined;
  /** A non-zero exit is a WaybillError that carries the last line of stderr. Default false. */
  check?: boolean | undefined;
}

export interface RunResult {
  /** As a shell tells it: 128 + n where signal n ended the program. */
  exitCode: number;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end.
 * @throws {WaybillError} the program isn't there, took longer than `timeoutMs`, or (with `check`) failed
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const piped = options.stdio !== "inherit";
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: piped ? ["pipe", "pipe", "pipe"] : "inherit",
    // A group of its own can be ended as a whole. A program on our terminal stays in our group, or it could not read from it.
    detached: piped,
  });
  const release = piped ? endWithUs(child) : () => {};
  const leash = new Leash(child, piped, options);
  try {
    const output = collect(child, options);
    feed(child, options.input);
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    leash.throwIfEnded(command);
    const result = { exitCode: shellExitCode(code, signal), signal, ...output() };
    if (options.check) assertSuccess(command, args, result);
    return result;
  } catch (error) {
    throw explainSpawn(error, command, options.cwd);
  } finally {
    leash.drop();
    release();
  }
}

/** Gathers what the program prints; the returned function gives all of it. */
function collect(child: ChildProcess, { onLine }: RunOptions): () => { stdout: string; stderr: string } {
  const chunks = { stdout: [] as string[], stderr: [] as string[] };
  for (const name of ["stdout", "stderr"] as const) {
    const lines = onLine && new LineSplitter((line) => onLine(line, name));
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      chunks[name].push(chunk);
      lines?.push(chunk);
    });
    child[name]?.on("end", () => lines?.end());
  }
  return () => ({ stdout: chunks.stdout.join(""), stderr: chunks.stderr.join("") });
}

function feed(child: ChildProcess, input: RunOptions["input"]): void {
  if (child.stdin === null) return;
  const source = input instanceof Readable ? input : Readable.from(input === undefined ? [] : [input]);
  // A program may end before it has read everything (EPIPE); its exit code tells whether that was a failure.
  pipeline(source, child.stdin).catch(() => {});
}

function assertSuccess(
  command: string,
  args: readonly string[],
  { exitCode, signal, stderr, stdout }: RunResult,
): void {
  if (exitCode === 0) return;
  const how = signal === null ? `failed with exit code ${exitCode}` : `was ended by ${signal}`;
  const said = lastLine(stderr) ?? lastLine(stdout);
  throw new WaybillError(`${labelOf(command, args)} ${how}${said === undefined ? "" : ` (${said})`}`);
}

/** The program and its subcommand. The other arguments may be long or private. */
function labelOf(command: string, [first]: readonly string[]): string {
  return first !== undefined && /^[a-z][a-z-]*$/.test(first) ? `${basename(command)} ${first}` : basename(command);
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split("\n").at(-1)?.trim() || undefined;
}

function explainSpawn(error: unknown, command: string, cwd: string | undefined): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (!syscall?.startsWith("spawn")) return error;
  // spawn blames the program for a missing working directory.
  if (code === "ENOENT" && cwd !== undefined && !existsSync(cwd)) {
    return new WaybillError("the working directory does not exist", { where: cwd, cause: error });
  }
  const what = code === "ENOENT" ? `${command} is not installed` : `${command} could not be started (${code})`;
  return new WaybillError(what, { mend: "`npx waybill doctor` tells how to get what is missing", cause: error });
}
