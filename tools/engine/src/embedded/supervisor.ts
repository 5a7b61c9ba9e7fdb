// The process that keeps the private engine: it starts containerd and dockerd, and stops both when nobody has used them for a
// while. It runs detached, writes to a log file only, and so holds no caller's output open.

import { spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive } from "../is-alive.ts";
import { ping } from "./ping.ts";
import { embeddedPaths, programPath } from "./paths.ts";

/** Who uses the engine. sudo's own variables don't tell: they are there as well where the user runs all of Waybill under sudo. */
const [uid, gid] = process.argv.slice(2).map(Number) as [number, number];
const paths = embeddedPaths(uid);
const idleMs = Number(process.env["WAYBILL_ENGINE_IDLE"] ?? 900) * 1000;
const log = openSync(paths.log, "a");
const stopping = Promise.withResolvers<string>();

function daemon(program: string, args: string[]): ChildProcess {
  const env = { ...process.env, PATH: programPath(paths), REGISTRY_AUTH_FILE: undefined };
  // A group of its own, so that Ctrl-C in the terminal that happened to start the engine doesn't end it.
  const child = spawn(join(paths.root, program), args, { stdio: ["ignore", log, log], env, detached: true });
  child.once("exit", (code, signal) => stopping.resolve(`${program} ended (${signal ?? code})`));
  child.once("error", (error) => stopping.resolve(`${program}: ${error.message}`));
  return child;
}

function startContainerd(): ChildProcess {
  const file = join(paths.sockets, "containerd.toml");
  writeFileSync(
    file,
    `version = 2
root = ${JSON.stringify(join(paths.data, "containerd"))}
state = ${JSON.stringify(join(paths.sockets, "containerd"))}
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = ${JSON.stringify(paths.containerd)}
`,
  );
  return daemon("usr/bin/containerd", ["-c", file]);
}

function startDockerd(): ChildProcess {
  const file = join(paths.sockets, "daemon.json");
  const gc = { enabled: true, defaultKeepStorage: process.env["WAYBILL_ENGINE_KEEP"] ?? "20GB" };
  writeFileSync(file, JSON.stringify({ features: { "containerd-snapshotter": true }, builder: { gc } }));
  // No bridge and no firewall rules of ours: builds and test containers use the host's network, and the machine stays as it was.
  return daemon("usr/sbin/dockerd", [
    `--config-file=${file}`,
    `--data-root=${join(paths.data, "docker")}`,
    `--exec-root=${join(paths.sockets, "exec")}`,
    `--pidfile=${join(paths.sockets, "docker.pid")}`,
    `--host=unix://${paths.docker}`,
    `--containerd=${paths.containerd}`,
    "--bridge=none",
    "--iptables=false",
    "--ip6tables=false",
  ]);
}

/** When the engine was last in use, in ms since the epoch. A lease is a file named after the process that holds it. */
function lastUsed(): number {
  let newest = statSync(paths.leases).mtimeMs;
  for (const name of readdirSync(paths.leases)) {
    if (isAlive(Number(name))) return Date.now();
    rmSync(join(paths.leases, name), { force: true });
    newest = Date.now();
  }
  return newest;
}

async function untilIdle(): Promise<string> {
  for (;;) {
    await delay(Math.min(idleMs, 5_000), undefined, { ref: true });
    // The cache folder was deleted: nothing can be served any more.
    if (!existsSync(paths.leases)) return "its folder is gone";
    if (Date.now() - lastUsed() > idleMs) return `unused for ${idleMs / 1000} s`;
  }
}

async function end(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await once(child, "exit");
  clearTimeout(timer);
}

/** dockerd leaves the network namespace of its containers mounted, which keeps its folder from being deleted. */
function unmountAll(): void {
  for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n").toReversed()) {
    const folder = line.split(" ")[1] ?? "";
    if (folder.startsWith(`${paths.sockets}/`)) spawnSync("umount", [folder], { stdio: ["ignore", log, log] });
  }
}

async function untilThere(socket: string): Promise<void> {
  while (!existsSync(socket)) await delay(20);
}

mkdirSync(paths.leases, { recursive: true, mode: 0o700 });
for (const stale of [paths.docker, paths.containerd, join(paths.sockets, "docker.pid")]) rmSync(stale, { force: true });
writeFileSync(paths.pid, String(process.pid));
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stopping.resolve(signal));
const containerd = startContainerd();
await Promise.race([untilThere(paths.containerd), stopping.promise]);
const dockerd = startDockerd();
if (uid !== process.getuid?.()) {
  const up = await Promise.race([ping(paths.docker), stopping.promise]);
  // The socket last: once it answers to the user, all is his.
  if (up === true) for (const path of [paths.sockets, paths.leases, paths.docker]) chownSync(path, uid, gid);
}
const reason = await Promise.race([stopping.promise, untilIdle()]);
writeFileSync(log, `waybill: the engine stops: ${reason}\n`);
await end(dockerd, 20_000);
await end(containerd, 10_000);
unmountAll();
rmSync(paths.sockets, { recursive: true, force: true });
process.exit(0);
