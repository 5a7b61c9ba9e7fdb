// What a run of Nx and its tasks tell each other about the remote cache, through a folder: Nx's protocol names a task by its hash
// alone. Loaded by every command, so it loads nothing.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

type Environment = Record<string, string | undefined>;

/** Names the folder. */
export const TASKS_VARIABLE = "WAYBILL_CACHE_TASKS";
const OFF = "off";

/** For a task: notes what it is. */
export function noteTask(env: Environment = process.env): void {
  const { NX_TASK_HASH: hash, NX_TASK_TARGET_PROJECT: project, NX_TASK_TARGET_TARGET: target } = env;
  const folder = env[TASKS_VARIABLE];
  if (!folder || !hash || !existsSync(folder)) return;
  writeFileSync(join(folder, hash), `${project}\n${target}`);
}

/** For the run: what the task of a hash is, where it has told. */
export function taskOf(folder: string, hash: string): { project?: string; target?: string } {
  const file = join(folder, hash);
  if (!existsSync(file)) return {};
  const [project = "", target = ""] = readFileSync(file, "utf8").split("\n");
  return { project, target };
}

/** For the run: it has given the remote cache up, so its tasks need not try. */
export function noteOff(folder: string): void {
  if (existsSync(folder)) writeFileSync(join(folder, OFF), "");
}

/** For a task: whether its run has given the remote cache up. */
export function isOff(env: Environment = process.env): boolean {
  const folder = env[TASKS_VARIABLE];
  return folder !== undefined && existsSync(join(folder, OFF));
}
