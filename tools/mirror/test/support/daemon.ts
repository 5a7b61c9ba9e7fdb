// A daemon of a container engine for one test: in a folder of its own, ended by its process id.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@waybill/oci";
import { until } from "@waybill/testing";
import { onTestFinished } from "vitest";

/** A short folder (sockets' paths may have 107 bytes) that is unmounted and deleted after the test. */
export async function daemonFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "wb-"));
  onTestFinished(async () => {
    const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n").map((line) => line.split(" ")[1] ?? "");
    for (const mount of mounts.filter((each) => each.startsWith(`${folder}/`)).toReversed())
      await run("umount", [mount]);
    await rm(folder, { recursive: true, force: true });
  });
  return folder;
}

/**
 * Starts a daemon that ends with the test.
 * @param ready asked until it says so
 * @throws {Error} it ended, or time is up: all that it said
 */
export async function startDaemon(
  program: string,
  args: readonly string[],
  ready: () => Promise<boolean>,
  env: NodeJS.ProcessEnv = {},
): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  onTestFinished(() => end(child), 60_000);
  const look = async (): Promise<boolean> => {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("it ended");
    return await ready();
  };
  await until(program, look).catch((cause: unknown) => {
    throw new Error(`${String(cause)}\n${said}`, { cause });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await ended;
  clearTimeout(timer);
}
