// Starts and stops the server in the background, for who has no systemd to do it.

import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WaybillError } from "@waybill/oci/error";
import { z } from "zod";
import { command } from "./control.ts";
import { serverProcess } from "./server-process.ts";

const LOOK_MS = 50;
const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 30_000;

const statusSchema = z.object({ url: z.string(), pid: z.number() });

export interface Running {
  /** "http://127.0.0.1:5000" */
  url: string;
  pid: number;
}

/** The server that runs on a folder; undefined where none does. */
export async function findRunning(folder: string): Promise<Running | undefined> {
  const status = await command(folder, "status").catch(starting);
  return status === undefined ? undefined : statusSchema.parse(status);
}

/**
 * Starts a server that outlives us, or finds the one that runs. What it says goes to `<folder>/registry.log`.
 * @throws {WaybillError} what it said before it ended
 */
export async function launch(folder: string): Promise<Running> {
  const running = await findRunning(folder);
  if (running) return running;
  await mkdir(folder, { recursive: true });
  const file = join(folder, "registry.log");
  const log = await open(file, "a");
  const { size } = await log.stat();
  const { command: program, args, env } = serverProcess(folder);
  const stdio = ["ignore", log.fd, log.fd] as const;
  const child = spawn(program, args, { detached: true, stdio: [...stdio], env: { ...process.env, ...env } });
  child.unref();
  await log.close();
  for (const end = Date.now() + START_WITHIN_MS; Date.now() < end; await sleep(LOOK_MS)) {
    const started = await findRunning(folder);
    if (started) return started;
    if (child.exitCode !== null) throw await whyNot(file, size);
  }
  child.kill("SIGTERM");
  throw new WaybillError("the registry does not start", { where: file });
}

/** @returns false where none ran */
export async function halt(folder: string): Promise<boolean> {
  const running = await findRunning(folder);
  if (running === undefined) return false;
  process.kill(running.pid, "SIGTERM");
  for (const end = Date.now() + STOP_WITHIN_MS; Date.now() < end; await sleep(LOOK_MS))
    if ((await findRunning(folder).catch(() => undefined)) === undefined) return true;
  throw new WaybillError("the registry does not stop", { where: `process ${running.pid}` });
}

/** What it printed since it began: one line, if it is a failure that people can mend. */
async function whyNot(file: string, from: number): Promise<WaybillError> {
  const said = (await readFile(file)).subarray(from).toString("utf8").trim();
  const line = said.split("\n").find((each) => each.startsWith("waybill: "));
  return new WaybillError(line?.slice("waybill: ".length) ?? "the registry ended at once", line ? {} : { where: file });
}

/** One that is not up yet answers so. */
function starting(error: unknown): undefined {
  if (error instanceof WaybillError && error.what.includes("is starting")) return undefined;
  throw error;
}
