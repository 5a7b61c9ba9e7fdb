// What `waybill mirror pull` and `sync` have in common: flags, what they show on the way, and how they end.

import { hostPlatform } from "@waybill/engine";
import { formatBytes } from "@waybill/format";
import type { Backend } from "@waybill/mirror/backend";
import { type Wanted, isList, loadList, merged } from "@waybill/mirror/lists";
import { type Platforms, type Pulled, pullAll } from "@waybill/mirror/pull";
import { scanFolder } from "@waybill/mirror/scan";
import { WaybillError, escapeControls, formatPlatform, parsePlatform, parseReference } from "@waybill/oci";
import { Holdings } from "@waybill/registry";
import { type Values, list, text } from "../command.ts";
import { stopSignal } from "../stop.ts";
import { DIR, folderOf, runningMirror } from "./folder.ts";
import { PullProgress } from "./pull-progress.ts";

export const PULL_FLAGS = {
  ...DIR,
  platform: { type: "string", multiple: true },
  "all-platforms": { type: "boolean" },
  concurrency: { type: "string" },
} as const;

const CONCURRENCY = 4;
const MOST_CONCURRENCY = 64;

/** What a mirror's folder holds, where the mirror is Waybill's own. */
export const holdingsOf = (mirror: Backend | undefined, folder: string): Holdings | undefined =>
  mirror?.name === "waybill" ? new Holdings(folder) : undefined;

/** What lists and references say. @throws {WaybillError} one that is neither */
export async function wantedOf(names: readonly string[], folder?: string): Promise<Wanted[]> {
  const wanted = names.map(async (name) =>
    isList(name) ? await loadList(name, folder) : [{ reference: parseReference(name) }],
  );
  return merged((await Promise.all(wanted)).flat());
}

/** What folders name; on stderr, what could not be read of them. @throws {WaybillError} one can't be read */
export async function scannedIn(folders: readonly string[]): Promise<Wanted[]> {
  const scanned = await Promise.all(folders.map((folder) => scanFolder(folder)));
  for (const problem of scanned.flatMap(({ problems }) => problems)) console.error(escapeControls(problem));
  return scanned.flatMap(({ images }) => images);
}

/** @throws {WaybillError} a platform that is none */
export function platformsOf(values: Values): Platforms {
  if (values["all-platforms"] === true) return "all";
  const named = list(values, "platform").map((each) => formatPlatform(parsePlatform(each)));
  return named.length > 0 ? named : [hostPlatform()];
}

/** Pulls, and says how it went. */
export async function pullInto(wanted: readonly Wanted[], values: Values): Promise<0 | 1> {
  const folder = folderOf(values);
  const mirror = await runningMirror(folder);
  const json = values["json"] === true;
  const options = { platforms: platformsOf(values), concurrency: concurrencyOf(values), signal: stopSignal() };
  // Shows something until it is ended: from here on nothing is refused.
  const progress = new PullProgress(wanted.length, json);
  const pulled = await pullAll(mirror, holdingsOf(mirror, folder), wanted, {
    ...options,
    ...progress.listeners,
  }).finally(() => progress.end());
  if (json) console.log(JSON.stringify({ schemaVersion: 1, images: pulled }));
  else console.log(summary(pulled));
  return pulled.some(({ status }) => status === "failed") ? 1 : 0;
}

function concurrencyOf(values: Values): number {
  const given = Number(text(values, "concurrency") ?? CONCURRENCY);
  if (Number.isInteger(given) && given >= 1 && given <= MOST_CONCURRENCY) return given;
  throw new WaybillError(`--concurrency ${text(values, "concurrency")} is no number from 1 to ${MOST_CONCURRENCY}`);
}

/** One line; after it, what failed. */
function summary(all: readonly Pulled[]): string {
  const count = (status: string): number => all.filter((each) => each.status === status).length;
  const bytes = all.reduce((sum, { moved }) => sum + moved, 0);
  const failed = all.filter(({ status }) => status === "failed");
  const stale = all.filter((each) => each.stale).length;
  const parts = [
    `${count("pulled")} pulled`,
    `${count("moved")} moved`,
    `${count("held")} held`,
    ...(stale > 0 ? [`${stale} whose upstream can't be asked`] : []),
    ...(failed.length > 0 ? [`${failed.length} failed:`] : []),
  ];
  return [
    `${formatBytes(bytes)}: ${parts.join(", ")}`,
    ...failed.map((each) => `  ${each.image}: ${each.failure}`),
  ].join("\n");
}
