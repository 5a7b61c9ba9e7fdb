// waybill mirror setup|start|stop|status|check|gc|scrub: the registry on this machine, which pulls through from others.

import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { WaybillError, parseReference, writeFileAtomic } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { command as ask, findRunning, halt, launch, loadConfig, makeConfig } from "@waybill/registry";
import { type Command, type Values, text } from "../command.ts";
import { formatBytes } from "@waybill/format";

/** Registries that most images come from. */
const UPSTREAMS = [
  "docker.io",
  "gcr.io",
  "ghcr.io",
  "mcr.microsoft.com",
  "public.ecr.aws",
  "quay.io",
  "registry.k8s.io",
];

type Action = (folder: string, values: Values, rest: string[]) => Promise<0 | 1>;

const ACTIONS: Record<string, Action> = {
  async setup(folder, values) {
    const port = Number(text(values, "port") ?? "5000");
    const settings = { ...(await settingsOf(folder)), listen: `127.0.0.1:${port}` };
    makeConfig(settings, folder, join(folder, "config.json"));
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(settings, undefined, 2)}\n`);
    console.log(`set up in ${folder}; start it with: npx waybill mirror start`);
    return 0;
  },
  async start(folder) {
    const { url, pid } = await launch(folder);
    console.log(`${url} (process ${pid}); images of ghcr.io are ${new URL(url).host}/ghcr.io/…`);
    return 0;
  },
  async stop(folder) {
    console.log((await halt(folder)) ? "stopped" : "it was not running");
    return 0;
  },
  async status(folder, values) {
    const status = (await ask(folder, "status")) as Status | undefined;
    if (values["json"] === true) console.log(JSON.stringify(status ?? null));
    else console.log(status === undefined ? "not running" : describe(status));
    return status === undefined ? 1 : 0;
  },
  async check(folder, _values, [what = "EXISTS", image]) {
    return await check(folder, what, image);
  },
  async gc(folder, values) {
    const options = { dryRun: String(values["dry-run"] === true) };
    const done = (await askRunning(folder, "gc", options)) as { removed: string[]; blobs: number; freed: number };
    if (values["json"] === true) console.log(JSON.stringify(done));
    else {
      for (const each of done.removed) console.log(each);
      const verb = values["dry-run"] === true ? "would free" : "freed";
      console.log(`${verb} ${formatBytes(done.freed)} in ${done.blobs} blobs`);
    }
    return 0;
  },
  async scrub(folder, values) {
    const done = (await askRunning(folder, "scrub")) as {
      blobs: number;
      read: number;
      damaged: string[];
      lost: string[];
    };
    if (values["json"] === true) console.log(JSON.stringify(done));
    else {
      for (const digest of done.lost) console.log(`lost: ${digest}`);
      console.log(
        `read ${done.blobs} blobs, ${formatBytes(done.read)}: ${done.damaged.length} damaged, ${done.lost.length} lost`,
      );
    }
    return done.lost.length === 0 ? 0 : 1;
  },
};

export const command: Command = {
  summary: "the registry on this machine, which pulls through from others",
  usage: Object.keys(ACTIONS).join("|"),
  options: {
    dir: { type: "string" },
    port: { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run([name = "", ...rest], values) {
    const action = ACTIONS[name];
    if (action === undefined)
      throw new WaybillError(`unknown action "${name}"`, { mend: `use ${Object.keys(ACTIONS).join(", ")}` });
    return await action(folderOf(values), values, rest);
  },
};

interface Status {
  url: string;
  repositories: unknown[];
  blobs: number;
  size: number;
  free: number;
  damaged: string[];
  upstreams: { host: string; state: string; failure?: string }[];
}

function describe({ url, repositories, blobs, size, free, damaged, upstreams }: Status): string {
  const lines = [
    `${url}: ${repositories.length} repositories, ${blobs} blobs, ${formatBytes(size)}; ${formatBytes(free)} free`,
    ...upstreams.filter(({ failure }) => failure).map(({ host, state, failure }) => `${host} (${state}): ${failure}`),
    ...damaged.map((digest) => `damaged, and no upstream has it: ${digest}`),
  ];
  return lines.join("\n");
}

/** Answers for scripts: a line on stdout, and exit code 1 for no. */
async function check(folder: string, what: string, image: string | undefined): Promise<0 | 1> {
  const running = await findRunning(folder);
  if (what === "DIR") return say(await holdsRegistry(folder), folder);
  if (what === "URL") return say(running !== undefined, running?.url ?? "");
  if (what === "EXISTS") return say(running !== undefined, String(running !== undefined));
  if (what !== "IMAGE_EXISTS" || image === undefined)
    throw new WaybillError(`unknown check "${what}"`, { mend: "use URL, EXISTS, DIR or IMAGE_EXISTS <image>" });
  const found = running !== undefined && (await holdsImage(new URL(running.url).host, image));
  return say(found, String(found));
}

function say(yes: boolean, answer: string): 0 | 1 {
  if (yes || answer === "false") console.log(answer);
  return yes ? 0 : 1;
}

async function holdsRegistry(folder: string): Promise<boolean> {
  return await readFile(join(folder, "config.json")).then(
    () => true,
    () => false,
  );
}

/** Through the mirror: what it can fetch exists too. */
async function holdsImage(host: string, image: string): Promise<boolean> {
  const { registry, repository, tag = "latest", digest } = parseReference(image);
  const name = isOurs(registry, host) ? repository : `${registry}/${repository}`;
  return (await new RegistryClient(host).headManifest(name, digest ?? tag)) !== undefined;
}

/** This machine has several names. */
function isOurs(registry: string, host: string): boolean {
  const port = `:${host.split(":").at(-1)}`;
  return registry === host || ["localhost", "127.0.0.1", "[::1]"].some((name) => registry === name + port);
}

async function askRunning(folder: string, name: string, options: Record<string, string> = {}): Promise<unknown> {
  const answer = await ask(folder, name, options);
  if (answer !== undefined) return answer;
  throw new WaybillError("the mirror is not running", { where: folder, mend: "npx waybill mirror start" });
}

/** What is there stays; only a new mirror gets the usual upstreams. */
async function settingsOf(folder: string): Promise<object> {
  const file = join(folder, "config.json");
  if (!(await holdsRegistry(folder))) return { upstreams: Object.fromEntries(UPSTREAMS.map((host) => [host, {}])) };
  await loadConfig(folder);
  return JSON.parse(await readFile(file, "utf8")) as object;
}

function folderOf(values: Values): string {
  const given = text(values, "dir") ?? process.env["WAYBILL_MIRROR_DIR"];
  const data = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return resolve(given ?? join(data, "waybill", "mirror"));
}
