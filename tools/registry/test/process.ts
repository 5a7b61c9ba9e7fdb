// The registry as a process of its own, as it runs in earnest: for what only a process can show (kill -9, exit codes).

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { serverProcess } from "@waybill/registry";

export interface RegistryProcess {
  url: string;
  child: ChildProcess;
  /** SIGKILL: nothing is put in order. */
  kill(): Promise<void>;
}

/** Starts a registry on a folder and waits until it listens. */
export async function startProcess(folder: string, settings: object = {}): Promise<RegistryProcess> {
  await writeFile(join(folder, "config.json"), JSON.stringify({ listen: "127.0.0.1:0", keepFree: "0B", ...settings }));
  const child = start(folder, "pipe");
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  onTestFinished(kill);
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    child.stdout?.resume();
    if (event === "listening") return { url, child, kill };
  }
  throw new Error("the registry ended before it listened");
}

/** Runs it where it can't run. @returns its exit code and what it said */
export async function failToStart(folder: string, settings: object): Promise<{ code: number | null; said: string }> {
  await writeFile(join(folder, "config.json"), JSON.stringify(settings));
  const child = start(folder, "ignore");
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, said };
}

function start(folder: string, stdout: "pipe" | "ignore"): ChildProcess {
  const { command, args, env } = serverProcess(folder);
  return spawn(command, args, { stdio: ["ignore", stdout, "pipe"], env: { ...process.env, ...env } });
}
