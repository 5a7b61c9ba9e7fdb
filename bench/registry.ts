// The registry against the one that most people run (Debian's docker-registry), in the same run: warm and cold pulls, the tail of
// small answers, memory, and what 10,000 tags cost.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { command, serverProcess } from "@waybill/registry";
import { freePort } from "@waybill/testing/free-port";
import { slowLink } from "./link.ts";
import { type Contestant, takeTurns } from "./measure.ts";
import type { Options } from "./options.ts";
import { type Row, figureOf, notSlower, within } from "./row.ts";
import { sh } from "./shell.ts";

const BENCH = "registry";
const LAYERS = 4;
const LAYER_BYTES = 50_000_000;
/** What is pulled through an empty registry before it counts: the other one has answered before, too. */
const WARM_UP = "bench/warm-up";
const WARM_UP_BYTES = 5_000_000;
const TAGS = 10_000;
/** Of a link, in bytes a second: 1 Gbit/s. */
const LINK = 125_000_000;
/** A second, as /proc counts (man 5 proc; 100 on all Linux that Node runs on). */
const CLOCK_TICKS = 100;
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

interface Server {
  url: string;
  child: ChildProcess;
  /** Where its image is: "bench/image". */
  name: string;
}

interface Blob {
  digest: string;
  bytes: Buffer;
}

export async function registry({ runs }: Options): Promise<Row[]> {
  const root = await mkdtemp(join(tmpdir(), "bench-registry-"));
  const started: Server[] = [];
  process.once("exit", () => {
    for (const { child } of started) child.kill("SIGKILL");
    rmSync(root, { recursive: true, force: true });
  });
  const start = async (launch: Promise<Server>): Promise<Server> => {
    const server = await launch;
    started.push(server);
    return server;
  };
  try {
    const theirs = await start(startTheirs(join(root, "theirs")));
    // A rule that nothing meets, so that the collection looks at every tag.
    const rules = [{ repositories: "**", olderThan: "365d" }];
    const ours = await start(startOurs(join(root, "ours"), { gc: { rules } }));
    const blobs = await pushImage([theirs, ours], "bench/image", LAYERS, LAYER_BYTES);
    await pushImage([theirs], WARM_UP, 1, WARM_UP_BYTES);
    const warm = await warmPulls(ours, theirs, blobs, runs);
    const memory = await peaks(ours, theirs);
    const tail = await manifestTail(ours, theirs);
    const link = await slowLink(theirs.url, LINK);
    const far = await coldPulls({ ...theirs, url: link.url }, root, runs, start, "over 1 Gbit/s", 1.1);
    link.close();
    // Without a network between them three programs share the processors, which a direct pull has for two.
    const near = await coldPulls(theirs, root, runs, start, "within this machine", null);
    return [...warm, memory, tail, ...far, ...near, ...(await manyTags(join(root, "ours"), ours))];
  } finally {
    for (const { child } of started) await end(child);
    await rm(root, { recursive: true, force: true });
  }
}

async function startTheirs(folder: string, settings: object = {}): Promise<Server> {
  const port = await freePort();
  const file = `${folder}.json`;
  const storage = { filesystem: { rootdirectory: folder } };
  const log = { level: "error", accesslog: { disabled: true } };
  await writeFile(
    file,
    JSON.stringify({ version: "0.1", log, storage, http: { addr: `127.0.0.1:${port}` }, ...settings }),
  );
  const env = { ...process.env, OTEL_TRACES_EXPORTER: "none", REGISTRY_AUTH_FILE: undefined };
  const child = spawn("docker-registry", ["serve", file], { stdio: "ignore", env });
  return await answering({ url: `http://127.0.0.1:${port}`, child, name: "bench/image" });
}

async function startOurs(folder: string, settings: object): Promise<Server> {
  const port = await freePort();
  const { command: program, args, env } = serverProcess(folder);
  await sh`mkdir -p ${folder}`;
  await writeFile(join(folder, "config.json"), JSON.stringify({ listen: `127.0.0.1:${port}`, ...settings }));
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, ...env } });
  return await answering({ url: `http://127.0.0.1:${port}`, child, name: "bench/image" });
}

async function answering(server: Server): Promise<Server> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${server.url}/v2/`).catch(() => undefined);
    if (answer?.ok) return server;
    await sleep(100);
  }
  throw new Error(`${server.url} does not answer`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

/** The same image for all of them. @returns its layers */
async function pushImage(servers: readonly Server[], name: string, count: number, bytes: number): Promise<Blob[]> {
  const layers = Array.from({ length: count }, () => blobOf(randomBytes(bytes)));
  const config = blobOf(
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] } })),
  );
  const descriptor = ({ digest, bytes }: Blob, mediaType: string): object => ({
    mediaType,
    digest,
    size: bytes.length,
  });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(config, "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((layer) => descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip")),
  });
  for (const { url } of servers) {
    for (const blob of [config, ...layers]) await pushBlob(url, name, blob);
    const headers = { "content-type": MANIFEST };
    await expectOk(fetch(`${url}/v2/${name}/manifests/1.0`, { method: "PUT", body: manifest, headers }));
  }
  return layers;
}

async function pushBlob(url: string, name: string, { digest, bytes }: Blob): Promise<void> {
  const begun = await expectOk(fetch(`${url}/v2/${name}/blobs/uploads/`, { method: "POST" }));
  const session = new URL(begun.headers.get("location") ?? "", url);
  session.searchParams.set("digest", digest);
  await expectOk(fetch(session, { method: "PUT", body: new Uint8Array(bytes) }));
}

async function expectOk(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
  await response.arrayBuffer();
  return response;
}

function blobOf(bytes: Buffer): Blob {
  return { digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, bytes };
}

async function warmPulls(ours: Server, theirs: Server, blobs: readonly Blob[], runs: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const clients of [1, 32]) {
    const pull = ({ url, name }: Server) => ({
      run: () =>
        Promise.all(
          Array.from({ length: clients }, () => curl(blobs.map(({ digest }) => `${url}/v2/${name}/blobs/${digest}`))),
        ),
    });
    const took = await takeTurns({ ours: pull(ours), theirs: pull(theirs) }, runs);
    const what = `warm pull of 200 MB, ${clients} client${clients === 1 ? "" : "s at once"}`;
    rows.push(notSlower({ bench: BENCH, what, ours: took.ours, theirs: took.theirs }, 1));
    const cpu = { ours: await cpuOf(ours, pull(ours).run), theirs: await cpuOf(theirs, pull(theirs).run) };
    // What else the machine does hardly shows in this one.
    rows.push(notSlower({ bench: BENCH, what: "processor time of the server for it", ...cpu }, 1));
  }
  return rows;
}

/** Seconds of the processor that a server used, in user and kernel mode. */
async function cpuOf({ child }: Server, work: () => Promise<unknown>): Promise<number> {
  const used = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${child.pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
  };
  const before = await used();
  await work();
  return (await used()) - before;
}

async function curl(urls: readonly string[]): Promise<void> {
  await sh`curl --silent --fail ${urls.flatMap((url) => ["--output", "/dev/null", url])}`;
}

/** The most that each had resident, in MB, after the pulls by 32 clients. */
async function peaks(ours: Server, theirs: Server): Promise<Row> {
  const [our, their] = [await residentMb(ours), await residentMb(theirs)];
  const what = `resident after a push and pulls by 32 clients (docker-registry: ${their.toFixed(0)} MB)`;
  return figureOf({ bench: BENCH, what, value: our, mark: 120, unit: "MB" });
}

async function residentMb({ child }: Server): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
}

/** The 99th percentile of a manifest's GET, 8 at a time. */
async function manifestTail(ours: Server, theirs: Server): Promise<Row> {
  const took = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < 6; round++) {
    for (const [who, { url, name }] of [
      ["ours", ours],
      ["theirs", theirs],
    ] as const) {
      const seconds = await manyGets(`${url}/v2/${name}/manifests/1.0`, 1000, 8);
      // The first round warms both.
      if (round > 0) took[who].push(...seconds);
    }
  }
  return notSlower(
    { bench: BENCH, what: "p99 of a manifest's GET, 8 at a time", ours: p99(took.ours), theirs: p99(took.theirs) },
    1,
  );
}

async function manyGets(url: string, count: number, parallel: number): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const seconds: number[] = [];
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const began = performance.now();
      const asked = request(url, { agent, headers: { accept: MANIFEST } }).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      response.resume();
      await once(response, "end");
      seconds.push((performance.now() - began) / 1000);
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  agent.destroy();
  return seconds;
}

function p99(seconds: number[]): number {
  return seconds.toSorted((a, b) => a - b)[Math.floor(seconds.length * 0.99)] ?? Number.NaN;
}

/** skopeo from docker-registry, against skopeo through an empty registry: ours, and docker-registry's own pull-through cache. */
async function coldPulls(
  upstream: Server,
  root: string,
  runs: number,
  start: (launch: Promise<Server>) => Promise<Server>,
  how: string,
  mark: number | null,
): Promise<Row[]> {
  const copy = async ({ url }: Server, name: string): Promise<void> => {
    const to = join(root, "copy");
    await rm(to, { recursive: true, force: true });
    await sh`skopeo copy --quiet --src-tls-verify=false ${`docker://${new URL(url).host}/${name}:1.0`} ${`dir:${to}`}`;
  };
  const through = (launch: (folder: string) => Promise<Server>, nameOf: (name: string) => string): Contestant => {
    let server: Server | undefined;
    return {
      async prepare(turn) {
        if (server) await end(server.child);
        const folder = await mkdtemp(join(root, `through-${turn}-`));
        server = await start(launch(join(folder, "registry")));
        await copy(server, nameOf(WARM_UP));
      },
      run: () => copy(server as Server, nameOf(upstream.name)),
    };
  };
  const upstreams = { "example.com": { url: upstream.url } };
  const took = await takeTurns(
    {
      direct: { run: () => copy(upstream, upstream.name) },
      ours: through(
        (folder) => startOurs(folder, { upstreams }),
        (name) => `example.com/${name}`,
      ),
      theirs: through(
        (folder) => startTheirs(folder, { proxy: { remoteurl: upstream.url } }),
        (name) => name,
      ),
    },
    runs,
  );
  const what = `cold pull of 200 MB ${how} through ours, against`;
  return [
    notSlower({ bench: BENCH, what: `${what} the upstream itself`, ours: took.ours, theirs: took.direct }, mark),
    notSlower({ bench: BENCH, what: `${what} docker-registry's own cache`, ours: took.ours, theirs: took.theirs }, 1),
  ];
}

async function manyTags(folder: string, { url, name }: Server): Promise<Row[]> {
  const manifest = await (await fetch(`${url}/v2/${name}/manifests/1.0`)).arrayBuffer();
  const digest = blobOf(Buffer.from(manifest)).digest;
  for (let at = 0; at < TAGS; at += 100) {
    const query = Array.from({ length: 100 }, (_, i) => `tag=t${at + i}`).join("&");
    const headers = { "content-type": MANIFEST };
    await expectOk(fetch(`${url}/v2/${name}/manifests/${digest}?${query}`, { method: "PUT", body: manifest, headers }));
  }
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await work();
    return (performance.now() - began) / 1000;
  };
  const list = await timed(() => expectOk(fetch(`${url}/v2/${name}/tags/list`)));
  const gc = await timed(() => command(folder, "gc"));
  return [
    within({ bench: BENCH, what: `list of ${TAGS} tags`, ours: list }, 2),
    within({ bench: BENCH, what: `collection over ${TAGS} tags`, ours: gc }, 10),
  ];
}
