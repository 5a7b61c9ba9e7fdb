// waybill cache prune|stats|key: the remote cache, for who looks after it.

import {
  type CacheSettings,
  type CacheStats,
  type PrunePlan,
  cacheSettings,
  carryOutPrune,
  listCache,
  newKeyPair,
  planPrune,
  statsOf,
  untrustedOf,
} from "@waybill/cache";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { existsSync } from "node:fs";
import { type Command, type Values, text } from "../command.ts";
import { formatBytes, formatTable } from "@waybill/format";
import { settings } from "../settings.ts";

const ACTIONS: Record<string, (values: Values, more: string[]) => Promise<void>> = { prune, stats, key };

export const command: Command = {
  summary: "the remote cache: what is in it, what has had its time, a key that signs",
  usage: "prune|stats|key [FILE]",
  options: {
    keep: { type: "string" },
    "keep-per-image": { type: "string" },
    "dry-run": { type: "boolean" },
  },
  async run([name = "", ...more], values) {
    const action = ACTIONS[name];
    if (action === undefined)
      throw new WaybillError(`unknown action "${name}"`, { mend: `use ${Object.keys(ACTIONS).join(", ")}` });
    await action(values, more);
    return 0;
  },
};

interface Repositories {
  client: RegistryClient;
  /** The trusted one, then the other. */
  repositories: string[];
}

async function open(): Promise<Repositories> {
  const found: CacheSettings | undefined = cacheSettings(await settings());
  if (found === undefined)
    throw new WaybillError("there is no remote cache", {
      mend: 'set "remoteCache" in nx.json, or WAYBILL_REMOTE_CACHE',
    });
  const { registry, repository, plainHttp } = found;
  const client = new RegistryClient(registry, { plainHttp });
  return { client, repositories: [repository, untrustedOf(repository)] };
}

async function prune(values: Values): Promise<void> {
  const dry = values["dry-run"] === true;
  const options = {
    keepMs: duration(text(values, "keep") ?? "30d"),
    keepPerImage: count(text(values, "keep-per-image") ?? "5"),
    now: Date.now(),
  };
  const { client, repositories } = await open();
  const plans: PrunePlan[] = [];
  for (const repository of repositories) {
    const plan = planPrune(await listCache(client, repository), options);
    if (!dry && plan.entries.length + plan.images.length > 0) {
      await carryOutPrune(client, plan, planPrune(await listCache(client, repository), options));
    }
    plans.push(plan);
  }
  if (values["json"] === true) console.log(JSON.stringify(plans));
  else for (const plan of plans) console.log(describePlan(client.registry, plan, dry, values["verbose"] === true));
}

function describePlan(registry: string, plan: PrunePlan, dry: boolean, verbose: boolean): string {
  const { repository, entries, images, kept } = plan;
  const what = `${entries.length} entries and ${images.length} manifests of images`;
  const line = `${registry}/${repository}: ${dry ? "would delete" : "deleted"} ${what}; ${kept.entries} and ${kept.images} stay`;
  return verbose ? [line, ...[...entries, ...images].map(({ tag }) => `  ${tag}`)].join("\n") : line;
}

async function stats(values: Values): Promise<void> {
  const { client, repositories } = await open();
  const all = [];
  for (const repository of repositories) all.push(statsOf(await listCache(client, repository)));
  if (values["json"] === true) console.log(JSON.stringify(all));
  else for (const each of all) console.log(describeStats(client.registry, each));
}

function describeStats(registry: string, { repository, targets, images, imageSize, ...times }: CacheStats): string {
  const name = `${registry}/${repository}`;
  if (targets.length === 0) return `${name}: empty`;
  const rows = targets.map(({ target, entries, size }) => [target || "(unknown)", String(entries), formatBytes(size)]);
  const from = `${times.oldest?.slice(0, 10)} to ${times.newest?.slice(0, 10)}`;
  const table = formatTable(["target", "entries", "size"], rows, [1, 2]).replaceAll(/^/gm, "  ");
  return `${name}: ${images} images, ${formatBytes(imageSize)}; entries from ${from}\n${table}`;
}

/** The private key goes to a file, never to a terminal. */
async function key(_values: Values, [file]: string[]): Promise<void> {
  if (file === undefined) throw new WaybillError("the key's file is missing", { mend: "npx waybill cache key FILE" });
  if (existsSync(file)) throw new WaybillError("there is a file of that name", { where: file, mend: "name another" });
  const { privateKey, publicKey } = newKeyPair();
  await writeFileAtomic(file, privateKey, 0o600);
  console.log(`${file} is for trusted runs alone (WAYBILL_CACHE_KEY_FILE); for nx.json, beside "remoteCache":`);
  console.log(`"remoteCacheKeys": ["${publicKey}"]`);
}

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** "30d" in milliseconds. */
function duration(written: string): number {
  const [, amount, unit = ""] = /^(\d+)([mhdw])$/.exec(written) ?? [];
  const ms = UNITS[unit];
  if (ms === undefined) throw new WaybillError(`--keep ${written} is no duration`, { mend: "write 30d, 12h or 4w" });
  return Number(amount) * ms;
}

function count(written: string): number {
  if (/^\d+$/.test(written)) return Number(written);
  throw new WaybillError(`--keep-per-image ${written} is no number`);
}
