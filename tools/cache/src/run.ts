// The remote cache for the time that Nx runs tasks. One a process: Nx's daemon serves several runs at once, and tells plugins of
// them in an order that would mix up two servers; the server goes when the last of them ends.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlobStore, ImageRecord } from "@waybill/oci";
import { run } from "@waybill/oci/run";
import { type Describe, Remote } from "./remote.ts";
import { signingKey } from "./signature.ts";
import { type RunningServer, startServer } from "./server.ts";
import type { CacheSettings } from "./settings.ts";
import { TASKS_VARIABLE, noteOff, taskOf } from "./tasks.ts";
import { type Access, accessOf } from "./trust.ts";

export interface RunOptions {
  settings: CacheSettings;
  store: BlobStore;
  workspaceRoot: string;
  /** As nx.json names it. */
  mainBranch?: string | undefined;
}

type Environment = Record<string, string | undefined>;

export class CacheRun {
  readonly access: Access;
  readonly #remote: Remote;
  readonly #server: RunningServer;
  readonly #tasks: string;
  readonly #removeTasks = (): void => rmSync(this.#tasks, { recursive: true, force: true });

  private constructor(remote: Remote, access: Access, server: RunningServer, tasks: string) {
    this.access = access;
    this.#remote = remote;
    this.#server = server;
    this.#tasks = tasks;
    // Nx may end without the hook after the run.
    process.once("exit", this.#removeTasks);
  }

  /** Asks the registry nothing yet. @throws {WaybillError} a key is none */
  static async start({ settings, store, workspaceRoot, mainBranch }: RunOptions): Promise<CacheRun> {
    const access = accessOf(settings.repository, process.env, mainBranch);
    const tasks = mkdtempSync(join(tmpdir(), "waybill-tasks-"));
    let revision: Promise<string | undefined> | undefined;
    const describe: Describe = async (hash) => ({
      ...taskOf(tasks, hash),
      revision: await (revision ??= revisionOf(workspaceRoot)),
    });
    const remote = new Remote(settings, access, store, { describe, key: signingKey() });
    remote.onOff(() => noteOff(tasks));
    return new CacheRun(remote, access, await startServer(remote), tasks);
  }

  /** What Nx and its tasks need in their environment. */
  get environment(): Record<string, string> {
    return {
      NX_SELF_HOSTED_REMOTE_CACHE_SERVER: this.#server.url,
      NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: this.#server.token,
      [TASKS_VARIABLE]: this.#tasks,
      ...withoutProxy(process.env),
    };
  }

  /** Whether the registry has the image. */
  has(record: ImageRecord): Promise<boolean> {
    return this.#remote.has(record);
  }

  /** What went wrong first, as one line. */
  get fault(): string | undefined {
    return this.#remote.fault;
  }

  /** Given up, for its whole life. */
  get isOff(): boolean {
    return this.#remote.isOff;
  }

  /** Resolves when all is stored, or given up. */
  settled(): Promise<void> {
    return this.#remote.settled();
  }

  async stop(): Promise<void> {
    await this.#server.stop();
    process.off("exit", this.#removeTasks);
    this.#removeTasks();
  }
}

async function revisionOf(folder: string): Promise<string | undefined> {
  const { exitCode, stdout } = await run("git", ["rev-parse", "HEAD"], { cwd: folder }).catch(() => NO_GIT);
  return exitCode === 0 ? stdout.trim() : undefined;
}

const NO_GIT = { exitCode: 1, stdout: "" };

/** Nx's client would go through a proxy even to this machine. */
function withoutProxy(env: Environment): Record<string, string> {
  const proxied = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].some((name) => env[name]);
  if (!proxied) return {};
  const known = env["NO_PROXY"] ?? env["no_proxy"] ?? "";
  return known.split(",").includes("127.0.0.1") ? {} : { NO_PROXY: known === "" ? "127.0.0.1" : `${known},127.0.0.1` };
}
