// Starts the private engine when it is first needed, and stops it when asked.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WaybillError, run } from "@waybill/oci";
import { cacheHome } from "../home.ts";
import { withLock } from "../lock-file.ts";
import { isInstalled, embeddedPaths } from "./paths.ts";
import { answers } from "./ping.ts";
import { asRoot } from "./privilege.ts";

const START_LIMIT_MS = 30_000;

/** Variables that mean something to the supervisor. */
const KEPT = ["WAYBILL_CACHE", "WAYBILL_ENGINE_IDLE", "WAYBILL_ENGINE_KEEP", "http_proxy", "https_proxy", "no_proxy"];

/** Makes sure that the private engine serves, and holds it until this process ends. */
export async function startEmbedded(): Promise<void> {
  const paths = embeddedPaths();
  if (!(await answers(paths.docker))) {
    if (!isInstalled(paths)) throw notInstalled();
    mkdirSync(paths.sockets, { recursive: true, mode: 0o700 });
    assertOurs(paths.sockets);
    await withLock(`${paths.sockets}.lock`, async () => {
      if (!(await answers(paths.docker))) await launch();
    });
  }
  lease();
}

const notInstalled = (): WaybillError =>
  new WaybillError("no container engine", { mend: "`./nx` installs one by itself, or run `npx waybill doctor`" });

/** Another user must not be able to offer us a socket of his own under a guessable name in /tmp. */
function assertOurs(folder: string): void {
  const { uid } = statSync(folder);
  if (uid === process.getuid?.() || uid === 0) return;
  throw new WaybillError("the engine's socket folder belongs to another user", { where: folder, mend: "delete it" });
}

async function launch(): Promise<void> {
  const paths = embeddedPaths();
  writeFileSync(paths.log, "");
  const log = openSync(paths.log, "a");
  const script = fileURLToPath(new URL("supervisor.ts", import.meta.url));
  const owner = [process.getuid?.(), process.getgid?.()].map(String);
  const [command, ...args] = asRoot([process.execPath, script, ...owner], KEPT);
  // It runs elsewhere, and under sudo with root's home.
  const env = { ...process.env, WAYBILL_CACHE: resolve(cacheHome()) };
  const child = spawn(command, args, { detached: true, stdio: ["ignore", log, log], cwd: "/", env });
  closeSync(log);
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended = `it ended (${signal ?? code})`));
  const limit = Date.now() + START_LIMIT_MS;
  while (!(await answers(paths.docker))) {
    if (ended === undefined && Date.now() > limit) ended = `no answer within ${START_LIMIT_MS / 1000} s`;
    if (ended !== undefined) {
      // A supervisor that still tries would keep this process alive with it.
      child.unref();
      child.kill("SIGTERM");
      throw startFailed(ended);
    }
    await delay(25);
  }
  child.unref();
}

function startFailed(reason: string): WaybillError {
  const { log } = embeddedPaths();
  const failure = readFileSync(log, "utf8")
    .split("\n")
    .findLast((line) => /level=(fatal|error)|failed to start|password/.test(line));
  const detail = failure === undefined ? "" : ` (${failure.replace(/^.*?msg="?/, "").slice(0, 200)})`;
  return new WaybillError(`the private engine did not start: ${reason}${detail}`, {
    where: log,
    mend: "`npx waybill doctor` shows what it needs",
  });
}

/** Tells the supervisor that this process uses the engine. It notices by itself when the process has ended. */
function lease(): void {
  const { leases } = embeddedPaths();
  try {
    writeFileSync(join(leases, String(process.pid)), "");
    utimesSync(leases, new Date(), new Date());
  } catch {
    // The supervisor is just stopping; the next command to the engine says so.
  }
}

/** Stops the private engine of this cache folder, if it runs. Returns whether it ran. */
export async function stopEmbedded(): Promise<boolean> {
  const { pid: file } = embeddedPaths();
  if (!existsSync(file)) return false;
  const pid = readFileSync(file, "utf8");
  if (!isSupervisor(pid)) return false;
  const [command, ...args] = asRoot(["kill", "-TERM", pid]);
  await run(command, args, { check: true });
  while (isSupervisor(pid)) await delay(50);
  return true;
}

/** Whether the process is one of ours still: a number that a dead supervisor left may be another process's by now. */
function isSupervisor(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("supervisor.ts");
  } catch {
    return false;
  }
}

/** Whether the private engine of this cache folder serves now. */
export const engineAnswers = (): Promise<boolean> => answers(embeddedPaths().docker);
