// A throw-away workspace that uses the product as users do: real Nx, the real command line, the real engine. Its caches and its
// store are its own; the engine and the downloads are the machine's, as starting another engine for each test would take minutes.

import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ImageRecord, type RunOptions, type RunResult, run } from "@waybill/oci";

const REPO = fileURLToPath(new URL("../../../..", import.meta.url));

/** A file's text by its path in the workspace; objects become JSON. */
export type Files = Record<string, string | object>;

export class Workspace {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** An empty workspace with these files; Nx and the tools are the repo's own. */
  static async create(files: Files = {}): Promise<Workspace> {
    const workspace = new Workspace(await mkdtemp(join(tmpdir(), "waybill-workspace-")));
    for (const name of ["node_modules", "tools"]) await symlink(join(REPO, name), join(workspace.folder, name));
    await workspace.write({
      "nx.json": {
        analytics: false,
        neverConnectToCloud: true,
        plugins: ["@waybill/nx-plugin"],
        useInferencePlugins: false,
      },
      "package.json": { name: "throw-away", version: "0.0.0", private: true, type: "module" },
      ".gitignore": "/node_modules\n/tools\ndist\n.state\n",
      ".env": await readFile(join(REPO, ".env"), "utf8"),
      ...files,
    });
    await run("git", ["init", "--quiet"], { cwd: workspace.folder, check: true });
    return workspace;
  }

  /** Takes files and folders of the repo along, without what was built of them. */
  async copy(...paths: string[]): Promise<void> {
    const filter = (path: string): boolean => !/\/(?:dist|node_modules)$/.test(path);
    for (const path of paths) await cp(join(REPO, path), this.path(path), { recursive: true, filter });
  }

  get store(): string {
    return join(this.folder, ".state/store");
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  async write(files: Files): Promise<void> {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(this.path(path)), { recursive: true });
      await writeFile(this.path(path), typeof content === "string" ? content : JSON.stringify(content, null, 2));
    }
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), "utf8");
  }

  /** As `./nx …` would run it. */
  nx(...args: string[]): Promise<RunResult> {
    return this.nxWith({}, ...args);
  }

  nxWith(options: Pick<RunOptions, "env" | "onLine" | "signal">, ...args: string[]): Promise<RunResult> {
    return this.node([join(REPO, "node_modules/nx/dist/bin/nx.js"), ...args], options);
  }

  /** As `npx waybill …` would run it. */
  waybill(...args: string[]): Promise<RunResult> {
    return this.waybillWith({}, ...args);
  }

  waybillWith(options: Pick<RunOptions, "env" | "onLine" | "signal">, ...args: string[]): Promise<RunResult> {
    return this.node(["tools/cli/src/waybill.ts", ...args], options);
  }

  /** Builds in this order. @throws what failed, with its output */
  async build(...names: string[]): Promise<void> {
    for (const name of names) {
      const { exitCode, stdout, stderr } = await this.waybill("build", name);
      if (exitCode !== 0 || stderr !== "") throw new Error(`build ${name}: exit code ${exitCode}\n${stdout}${stderr}`);
    }
  }

  async record(name: string): Promise<ImageRecord> {
    return JSON.parse(await this.read(`images/${name}/dist/image.json`)) as ImageRecord;
  }

  /** What lies half-written in the store: layouts of builds under way, files that were not renamed yet. */
  async leftovers(): Promise<string[]> {
    if (!existsSync(this.store)) return [];
    return (await readdir(this.store, { recursive: true })).filter((path) => /^tmp\/.|\.tmp$|ingest/.test(path));
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private node(args: string[], { env, ...options }: RunOptions = {}): Promise<RunResult> {
    return run(process.execPath, args, { cwd: this.folder, ...options, env: { ...this.environment(), ...env } });
  }

  /** Ours, without what a surrounding Nx (`nx test`) tells its tasks: Nx here goes by the workspace's own .env, as for users. */
  environment(): Record<string, string | undefined> {
    const ofNx = Object.keys(process.env).filter((name) => /^(NX_|CI$|CI_|GITHUB_|GITLAB_)/.test(name));
    return {
      ...Object.fromEntries(ofNx.map((name) => [name, undefined])),
      PATH: [join(REPO, "node_modules/.bin"), process.env["PATH"]].join(delimiter),
      NX_CACHE_DIRECTORY: this.path(".state/cache"),
      NX_WORKSPACE_DATA_DIRECTORY: this.path(".state/data"),
      NX_TUI: "false",
      FORCE_COLOR: undefined,
      WAYBILL_STORE: this.store,
      WAYBILL_BUILD: undefined,
      WAYBILL_REGISTRY: undefined,
      WAYBILL_REMOTE_CACHE: undefined,
      WAYBILL_CACHE_TASKS: undefined,
      WAYBILL_CACHE_TRUST: undefined,
    };
  }
}
