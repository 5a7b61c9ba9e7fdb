// zot, a registry with rules of its own (OCI's media types, blobs shared among repositories, a GC that runs beside), where it is installed.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "@waybill/oci";
import { freePort } from "../../../testing/src/free-port.ts";
import { until } from "../../../testing/src/until.ts";

export interface RunningZot {
  /** Host and port, as references have them. */
  host: string;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
}

/** Says out loud what is skipped without it. */
export async function hasZot(): Promise<boolean> {
  const answer = await run("zot", ["--version"], { timeoutMs: 30_000 }).catch(() => undefined);
  const there = answer?.exitCode === 0;
  if (!there) console.warn("SKIPPED: no zot here (build it from github.com/project-zot/zot: make binary-minimal)");
  return there;
}

/** With a GC that runs all the time and spares nothing for its age. The caller stops it. */
export async function startZot(): Promise<RunningZot> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-zot-"));
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const config = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: join(folder, "data"), gc: true, gcDelay: "1s", gcInterval: "1s" },
    http: { address: "127.0.0.1", port: String(port) },
    log: { level: "error" },
  };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const stopper = new AbortController();
  let fault: string | undefined;
  const ended = run("zot", ["serve", join(folder, "config.json")], { signal: stopper.signal }).then(
    ({ exitCode, stdout, stderr }) => void (fault = `zot ended with exit code ${exitCode}:\n${stdout}${stderr}`),
    (error: unknown) => void (fault = String(error)),
  );
  const stop = async (): Promise<void> => {
    stopper.abort();
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const answers = async (): Promise<boolean> => {
    if (fault !== undefined) throw new Error(fault);
    return await fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  await until("zot", answers).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { host, stop };
}
