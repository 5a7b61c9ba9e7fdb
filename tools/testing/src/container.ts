// A container of the image under test, run in the foreground so that its exit code, signals and output are the real ones.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ContainerCommand, Engine } from "@waybill/engine";

export interface ContainerOptions {
  args?: string[];
  /** Replaces the image's entrypoint. */
  entrypoint?: string;
  env?: Record<string, string>;
  mounts?: { source: string; target: string; readOnly?: boolean }[];
  /** Default true: an image that writes to its root file system says so in its test. */
  readOnlyRoot?: boolean;
  user?: string;
  tmpfs?: string[];
  /** `host` (default) or `none`. */
  network?: "host" | "none";
  /** More flags of `docker run`, which podman takes too. */
  flags?: string[];
}

export interface Exit {
  exitCode: number;
  signal: string | null;
}

const alive = new Set<Container>();

export class Container {
  stdout = "";
  stderr = "";
  readonly name: string;
  readonly #engine: Engine;
  readonly #child: ChildProcess;
  readonly #exit: Promise<Exit>;
  readonly #watchers = new Set<() => void>();

  private constructor(engine: Engine, name: string, child: ChildProcess) {
    this.#engine = engine;
    this.name = name;
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => this.#heard((this.stdout += text)));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => this.#heard((this.stderr += text)));
    this.#exit = once(child, "close").then(([code, signal]) => {
      alive.delete(this);
      for (const watcher of this.#watchers) watcher();
      return { exitCode: (code as number | null) ?? -1, signal: signal as string | null };
    });
    alive.add(this);
  }

  static async start(engine: Engine, image: string, options: ContainerOptions): Promise<Container> {
    await engine.start();
    const { name, command: program } = containerCommand(engine, image, options);
    const { command, args, env } = program;
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    return new Container(engine, name, child);
  }

  /** Resolves with the first match in what the container has printed; rejects with the log when it ends or time is up. */
  async logged(pattern: RegExp, limitMs = 10_000): Promise<RegExpMatchArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
    const look = (): void => {
      const match = this.stdout.match(pattern) ?? this.stderr.match(pattern);
      if (match !== null) resolve(match);
      else if (!alive.has(this)) reject(new Error(`the container ended without printing ${pattern}:\n${this.#log()}`));
    };
    const late = (): void => reject(new Error(`nothing matched ${pattern} in ${limitMs} ms:\n${this.#log()}`));
    const timer = setTimeout(late, limitMs);
    this.#watchers.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#watchers.delete(look);
    });
  }

  exited(): Promise<Exit> {
    return this.#exit;
  }

  /** Sends the signal to the container's first process and waits for the end; SIGKILL after `limitMs`. */
  async stop(signal = "SIGTERM", limitMs = 10_000): Promise<Exit> {
    this.kill(signal);
    const timer = setTimeout(() => void this.remove(), limitMs);
    return this.#exit.finally(() => clearTimeout(timer));
  }

  /** The engine's client passes signals on to the container (`--sig-proxy`); SIGKILL it can't. */
  kill(signal: string): void {
    if (signal === "SIGKILL") void this.remove();
    else this.#child.kill(signal as NodeJS.Signals);
  }

  async remove(): Promise<void> {
    await this.#engine.removeContainer(this.name);
    await this.#exit;
  }

  #heard(_text: string): void {
    for (const watcher of this.#watchers) watcher();
  }

  #log(): string {
    return `--- stdout\n${this.stdout}\n--- stderr\n${this.stderr}`;
  }
}

/** The engine's command for a new container, and the container's name. */
export function containerCommand(
  engine: Engine,
  image: string,
  options: ContainerOptions,
): { name: string; command: ContainerCommand } {
  const name = `waybill-test-${process.pid}-${randomBytes(4).toString("hex")}`;
  return { name, command: engine.container({ image, args: options.args ?? [], flags: flagsOf(name, options) }) };
}

function flagsOf(name: string, options: ContainerOptions): string[] {
  const flags = ["--rm", `--name=${name}`, "--cap-drop=ALL", "--security-opt=no-new-privileges"];
  if (options.readOnlyRoot !== false) flags.push("--read-only");
  if (options.network === "none") flags.push("--network=none");
  if (options.user !== undefined) flags.push(`--user=${options.user}`);
  if (options.entrypoint !== undefined) flags.push(`--entrypoint=${options.entrypoint}`);
  for (const [key, value] of Object.entries(options.env ?? {})) flags.push(`--env=${key}=${value}`);
  for (const path of options.tmpfs ?? []) flags.push(`--tmpfs=${path}`);
  for (const { source, target, readOnly } of options.mounts ?? []) {
    flags.push(`--volume=${source}:${target}${readOnly === true ? ":ro" : ""}`);
  }
  return [...flags, ...(options.flags ?? [])];
}

/** Removes what a test left running. Registered once for each vitest worker. */
async function removeAll(): Promise<void> {
  await Promise.all([...alive].map((container) => container.remove()));
}

const { afterAll } = await import("vitest");
afterAll(removeAll);
