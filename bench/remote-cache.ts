// The remote cache: a second machine against building, what it costs a run that finds nothing in it, and the records of 200 images.

import { appendFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as send } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findImage, findImages } from "@waybill/image";
import { BlobStore } from "@waybill/oci";
import { builtResult, remoteOf, store } from "../tools/cache/test/support/results.ts";
import { startRegistry } from "../tools/testing/src/registry.ts";
import { type Checkout, checkout } from "./checkout.ts";
import { takeTurns } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Row, faster, figureOf, notSlower, within } from "./row.ts";
import { sh } from "./shell.ts";

const BENCH = "remote cache";
const RECORDS = 200;

/** What the process of the hook prints. */
export interface HookFigures {
  seconds: number;
  /** By which the process grew, in bytes. */
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
  // With Nx's cache empty, as `--skipNxCache` stores nothing. The engine has its steps, from earlier builds or from the first of these
  // turns, which makes building look better than from nothing.
  const build = (cache: string) => ({
    run: async () => await copy.nx(args, { WAYBILL_REMOTE_CACHE: cache, ...freshNx(mkdtempSync(join(folder, "nx-"))) }),
  });
  await build(location).run();
  const building = await takeTurns({ build: build("off") }, 1);
  let machine: Record<string, string> = {};
  const second = {
    prepare: async (turn: number) => {
      machine = { WAYBILL_REMOTE_CACHE: location, ...freshMachine(copy, join(folder, `machine-${turn}`)) };
      counted.bytes = 0;
    },
    run: () => copy.nx(args, machine),
  };
  const took = await takeTurns({ second }, runs);
  counted.close();
  const what = `a second machine, ${chosen.length} images; the first with its engine's steps cached`;
  return [
    faster({ bench: BENCH, what, ours: took.second, theirs: building.build }, 200),
    within({ bench: BENCH, what: "the second machine alone", ours: took.second }, 2),
    figureOf({ bench: BENCH, what: "moved to the second machine", value: counted.bytes / 1e3, mark: 200, unit: "kB" }),
  ];
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
  const hook = join(import.meta.dirname, "remote-cache-process.ts");
  const { stdout } = await sh`${process.execPath} ${hook} ${`${host}/team/nx-cache`} ${RECORDS}`;
  const { seconds, memory } = JSON.parse(stdout) as HookFigures;
  return [
    within({ bench: BENCH, what: `records of ${RECORDS} images`, ours: seconds }, 4),
    figureOf({ bench: BENCH, what: "memory of the hook", value: memory / 1e6, mark: 80, unit: "MB" }),
  ];
}
