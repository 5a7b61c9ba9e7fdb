// A throw-away copy of the working tree, so that a bench may edit sources and a Ctrl-C leaves the user's files as they are. What
// is dear is machine-wide (store, engine, downloads), so a copy costs seconds. Its Nx cache is its own.

import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { envWith, sh } from "./shell.ts";

export interface Checkout {
  root: string;
  /** For what others than Nx write: Nx would hash and watch it in the copy. */
  outputs: string;
  /** `./nx` of the copy, with its arguments. */
  nx: (args: readonly string[], env?: Readonly<Record<string, string | undefined>>) => Promise<unknown>;
}

let shared: Promise<Checkout> | undefined;

/** One for all benches of this process; gone when the process ends. */
export function checkout(): Promise<Checkout> {
  shared ??= make(process.cwd());
  return shared;
}

async function make(from: string): Promise<Checkout> {
  const folder = mkdtempSync(join(tmpdir(), "waybill-bench-"));
  const [root, outputs] = [join(folder, "copy"), join(folder, "outputs")];
  for (const each of [root, outputs]) mkdirSync(each);
  process.once("exit", () => remove(folder, root));
  const listed = await sh({ cwd: from })`git ls-files -z --cached --others --exclude-standard`;
  for (const file of new Set(listed.stdout.split("\0"))) if (file !== "") copy(join(from, file), join(root, file));
  linkPackages(join(from, "node_modules"), join(root, "node_modules"));
  // The wrapper's note that this is set up, newer than all else: a set-up here would be a second `npm ci`.
  copyFileSync(join(root, "package-lock.json"), join(root, "node_modules", ".waybill-setup"));
  const nx: Checkout["nx"] = (args, env = {}) =>
    sh({
      cwd: root,
      env: envWith({ NX_CACHE_DIRECTORY: join(root, ".nx", "cache"), NX_TUI: "false", ...env }),
    })`./nx ${args}`;
  process.stderr.write(`bench: a copy of this checkout in ${root}; building its images once\n`);
  return { root, outputs, nx };
}

/** Also what Nx left running there. */
function remove(folder: string, root: string): void {
  if (existsSync(join(root, "node_modules"))) spawnSync("./nx", ["daemon", "--stop"], { cwd: root, stdio: "ignore" });
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}

/** A listed file may just have been deleted. Times are kept, or the wrapper would take the copy for one that isn't set up. */
function copy(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { preserveTimestamps: true, verbatimSymlinks: true });
}

/** Packages by link; those of the workspace link into the copy, as npm's relative links do. */
function linkPackages(from: string, to: string): void {
  mkdirSync(join(to, "@waybill"), { recursive: true });
  for (const name of readdirSync(from)) {
    const own = ["@waybill", ".waybill-setup", ".cache"].includes(name);
    if (!own) symlinkSync(join(from, name), join(to, name));
  }
  for (const name of readdirSync(join(from, "@waybill"))) {
    symlinkSync(readlinkSync(join(from, "@waybill", name)), join(to, "@waybill", name));
  }
}
