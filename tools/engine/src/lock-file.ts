// A lock between processes: a file that names its holder, so that a dead holder's lock can be taken over.

import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive } from "./is-alive.ts";

/** Runs `action` while no other process runs one under the same file. Waits for as long as the holder lives. */
export async function withLock<T>(file: string, action: () => Promise<T>): Promise<T> {
  while (!take(file)) await delay(50);
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}

/** A hard link to a file that is already written: the lock never exists without its holder's process id in it. */
function take(file: string): boolean {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    clearIfStale(file, `${mine}.stale`);
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Renames before it deletes, so that of two processes that find the same stale lock only one takes it away. */
function clearIfStale(file: string, aside: string): void {
  try {
    const holder = readFileSync(file, "utf8");
    if (isAlive(Number(holder))) return;
    renameSync(file, aside);
    if (readFileSync(aside, "utf8") === holder) rmSync(aside);
    else renameSync(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
