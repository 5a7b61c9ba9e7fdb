// A machine of its own: another clone, home, Nx cache, store and Waybill cache. They share a remote cache, if anything.

import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "@waybill/oci";
import { type Files, Workspace } from "../../../image/test/support/workspace.ts";

const REPO = fileURLToPath(new URL("../../../..", import.meta.url));

type Environment = Record<string, string | undefined>;

export class Machine {
  readonly workspace: Workspace;
  readonly home: string;
  readonly #env: Environment;

  private constructor(workspace: Workspace, home: string, env: Environment) {
    this.workspace = workspace;
    this.home = home;
    this.#env = env;
  }

  /**
   * @param engine false: this machine has none, so nothing can be built on it. Else it is the one of the machine that the test runs on
   * with its folder of downloads, as starting another takes minutes.
   */
  static async create(files: Files, remoteCache: string, { engine = true, env = {} }: Needs = {}): Promise<Machine> {
    const home = await mkdtemp(join(tmpdir(), "waybill-home-"));
    const own = engine ? (process.env["WAYBILL_CACHE"] ?? join(homedir(), ".cache/waybill")) : join(home, "cache");
    // Not by WAYBILL_ENGINE: that is part of every build's hash.
    const path = engine ? {} : { PATH: join(REPO, "node_modules/.bin") };
    return new Machine(await Workspace.create(files), home, {
      HOME: home,
      WAYBILL_CACHE: own,
      WAYBILL_REMOTE_CACHE: remoteCache,
      ...path,
      ...env,
    });
  }

  nx(env: Environment, ...args: string[]): Promise<RunResult> {
    return this.workspace.nxWith({ env: { ...this.#env, ...env } }, ...args);
  }

  waybill(env: Environment, ...args: string[]): Promise<RunResult> {
    return this.workspace.waybillWith({ env: { ...this.#env, ...env } }, ...args);
  }

  /** `nx run-many -t docker-build`. @returns what it printed @throws it failed */
  async build(env: Environment = {}): Promise<string> {
    const { exitCode, stdout, stderr } = await this.nx(env, "run-many", "-t", "docker-build");
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }

  async remove(): Promise<void> {
    await this.workspace.remove();
    await rm(this.home, { recursive: true, force: true });
  }
}

interface Needs {
  engine?: boolean;
  env?: Environment;
}

/** From the table: where each image's record came from. */
export function sources(output: string): Record<string, string> {
  const rows = output.matchAll(
    /^ {2}([a-z][\w-]*) {2,}(?:[0-9a-f]{12})?.* (built|local|remote|rebuilt|failure|skipped)\b/gm,
  );
  return Object.fromEntries(Array.from(rows, ([, name, source]) => [name, source]));
}
