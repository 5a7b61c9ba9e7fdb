// A registry of ours for a test: in this process, on a free port of 127.0.0.1, in a folder of its own; gone with the test.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { makeConfig, makeLog, startServer } from "@waybill/registry";
import type { RunningServer } from "@waybill/registry";

export interface TestRegistry {
  url: string;
  /** 127.0.0.1:port */
  host: string;
  folder: string;
  server: RunningServer;
  /** What it logged. */
  log: Record<string, unknown>[];
  stop(): Promise<void>;
  /** Stops it, lets the test do something to its folder, and starts it anew on the same port. */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "registry-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** @param settings as in config.json; `listen` and generous limits are given */
export async function startTestRegistry(settings: object = {}, at?: string): Promise<TestRegistry> {
  const folder = at ?? (await temporaryFolder());
  const log: TestRegistry["log"] = [];
  const logger = makeLog((line) => log.push(JSON.parse(line) as Record<string, unknown>));
  const start = async (listen: string): Promise<RunningServer> =>
    await startServer(makeConfig({ keepFree: "0B", listen, ...settings }, folder), logger);
  let server = await start("127.0.0.1:0");
  const { url } = server;
  const { host } = new URL(url);
  let stopped = false;
  const registry: TestRegistry = {
    url,
    host,
    folder,
    log,
    get server() {
      return server;
    },
    async stop() {
      if (!stopped) await server.stop();
      stopped = true;
    },
    async restart(meanwhile) {
      await server.stop();
      await meanwhile?.();
      server = await start(host);
    },
  };
  onTestFinished(() => registry.stop());
  return registry;
}

/** An upstream's settings, for a registry that stands in for "example.com". */
export function upstreamAt(url: string, more: object = {}): object {
  return { upstreams: { "example.com": { url, revalidateAfter: "0s", answerWithin: "1s", silentFor: "1s", ...more } } };
}

/** Waits until what is on its way is in the store. */
export async function settled({ server }: TestRegistry): Promise<void> {
  await expect.poll(() => server.registry.blobs.downloads, { timeout: 30_000 }).toBe(0);
}
