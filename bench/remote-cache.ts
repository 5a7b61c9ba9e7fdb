// The remote cache: a second machine against building, what it costs a run that finds nothing in it, and the records of 200 images.

import { spawnSync } from "node:child_process";
import { appendFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as send } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findImage, findImages } from "@waybill/image";
import { BlobStore } from "@waybill/oci";
import { builtResult, remoteOf, store } from "../tools/cache/test/support/results.ts";
import { startRegistry } from "../tools/testing/src/registry.ts";
import { type Checkout, checkout } from "./checkout.ts";
import { takeTurns, timedOnce } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Row, faster, figureOf, notSlower, within } from "./row.ts";
import { envWith, sh } from "./shell.ts";

const BENCH = "remote cache";
const RECORDS = 200;
/** The one that can be installed into an empty folder. Which engine builds is an input of every build. */
const ENGINE = { WAYBILL_ENGINE: "embedded" };

/** What the process of the hook prints first. */
export interface HookAddress {
  server: string;
  token: string;
}

/** And when it has been told to stop. */
export interface HookFigures {
  /** By which the process grew at its most, in bytes. */
  memory: number;
}

export async function remoteCache(options: Options): Promise<Row[]> {
  const registry = await startRegistry();
  const folder = mkdtempSync(join(tmpdir(), "waybill-bench-cache-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  try {
    const copy = await checkout();
    const chosen = options.images ?? [...(await findImages(copy.root)).keys()].sort();
    return [
      ...(await secondMachine(copy, chosen, registry.host, folder, options)),
      await miss(copy, registry.host, options),
      ...(await records(registry.host, folder)),
    ];
  } finally {
    await registry.stop();
  }
}

async function secondMachine(
  copy: Checkout,
  chosen: readonly string[],
  host: string,
  folder: string,
  { runs }: Options,
): Promise<Row[]> {
  const counted = await counter(host);
  const args = ["run-many", "-t", "docker-build", "-p", chosen.join(",")];
  const location = `${counted.host}/bench/nx-cache`;
  const building = await fromNothing(copy, args, location, folder);
  let machine: Record<string, string> = {};
  const second = {
    prepare: async (turn: number) => {
      machine = { ...ENGINE, WAYBILL_REMOTE_CACHE: location, ...freshMachine(copy, join(folder, `machine-${turn}`)) };
      counted.bytes = 0;
    },
    run: () => copy.nx(args, machine),
  };
  const took = await takeTurns({ second }, runs);
  counted.close();
  const what = `a second machine; the first builds its ${chosen.length} images from nothing`;
  return [
    faster({ bench: BENCH, what, ours: took.second, theirs: building }, 200),
    within({ bench: BENCH, what: "the second machine alone", ours: took.second }, 2),
    figureOf({ bench: BENCH, what: "moved to the second machine", value: counted.bytes / 1e3, mark: 200, unit: "kB" }),
  ];
}

/** The first machine, whose engine and downloads are its own and empty. Once, as it takes minutes. In seconds. */
async function fromNothing(copy: Checkout, args: string[], location: string, folder: string): Promise<number> {
  const home = join(folder, "first");
  const env = envWith({ ...freshMachine(copy, home), ...ENGINE, WAYBILL_REMOTE_CACHE: location });
  const waybill = (action: string): void => {
    const { status, stderr } = spawnSync("npx", ["waybill", "engine", action], { cwd: copy.root, env });
    if (status !== 0) throw new Error(`engine ${action}: ${String(stderr)}`);
  };
  const stop = (): void => waybill("stop");
  waybill("install");
  process.once("exit", stop);
  try {
    return await timedOnce("the first machine", { run: () => copy.nx(args, env) });
  } finally {
    process.off("exit", stop);
    stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Nothing of what the first one has. */
function freshMachine(copy: Checkout, home: string): Record<string, string> {
  for (const dist of globSync("images/**/dist", { cwd: copy.root })) rmSync(join(copy.root, dist), { recursive: true });
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    WAYBILL_CACHE: join(home, "cache"),
    WAYBILL_STORE: join(home, "store"),
    ...freshNx(home),
  };
}

/** Nx keeps what it knows of its cache apart from the cache. */
const freshNx = (folder: string): Record<string, string> => ({
  NX_CACHE_DIRECTORY: join(folder, "nx"),
  NX_WORKSPACE_DATA_DIRECTORY: join(folder, "data"),
});

/** In front of the registry, counting what it answers. */
async function counter(target: string): Promise<{ host: string; bytes: number; close: () => void }> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const onward = send(`http://${target}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.on("data", (chunk: Buffer) => (counted.bytes += chunk.length));
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  const counted = { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: 0, close };
  return counted;
}

/** A change that no cache has: with the remote cache it is asked for, built, and stored. */
async function miss(copy: Checkout, host: string, { runs }: Options): Promise<Row> {
  const image = await findImage("api", copy.root);
  const source = join(image.folder, "src/main.ts");
  const original = readFileSync(source);
  const edit = async (): Promise<void> => {
    writeFileSync(source, original);
    appendFileSync(source, `globalThis.process.title = "bench-${Date.now()}";\n`);
  };
  const build = (location: string) => ({
    prepare: edit,
    run: () => copy.nx(["run", "api:docker-build"], { WAYBILL_REMOTE_CACHE: location }),
  });
  const took = await takeTurns({ with: build(`${host}/bench/nx-cache`), without: build("off") }, runs);
  writeFileSync(source, original);
  const what = "one line changed in api: with the remote cache, and without";
  return notSlower({ bench: BENCH, what, ours: took.with, theirs: took.without }, 1.03);
}

/** Asked for through the server that Nx asks, in a process of its own. */
async function records(host: string, folder: string): Promise<Row[]> {
  const bytes = new BlobStore(join(folder, "records"));
  const remote = remoteOf(host, bytes);
  for (let index = 1; index <= RECORDS; index++) {
    const { tarball } = await builtResult(bytes, `${index} `);
    await store(remote, String(index), tarball);
  }
  if (remote.fault !== undefined) throw new Error(remote.fault);
  const { seconds, memory } = await askHook(`${host}/team/nx-cache`);
  return [
    within({ bench: BENCH, what: `records of ${RECORDS} images`, ours: seconds }, 4),
    figureOf({ bench: BENCH, what: "memory of the hook", value: memory / 1e6, mark: 80, unit: "MB" }),
  ];
}

/** Asks for all at once, as Nx does: from another process than the hook's, as its memory is measured. */
async function askHook(location: string): Promise<{ seconds: number; memory: number }> {
  const hook = sh`${process.execPath} ${join(import.meta.dirname, "remote-cache-process.ts")} ${location}`;
  const lines = createInterface(hook.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  const { server, token } = (await next()) as HookAddress;
  const headers = { authorization: `Bearer ${token}` };
  const started = performance.now();
  await Promise.all(
    Array.from({ length: RECORDS }, async (_, index) => {
      const response = await fetch(`${server}/v1/cache/${index + 1}`, { headers });
      await response.arrayBuffer();
      if (!response.ok) throw new Error(`${response.status} for record ${index + 1}`);
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  hook.stdin.end();
  const { memory } = (await next()) as HookFigures;
  await hook;
  return { seconds, memory };
}
