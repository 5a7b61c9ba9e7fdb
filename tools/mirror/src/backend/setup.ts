// Makes a registry that exists the mirror: says so in the mirror's folder, and writes what that registry must read for it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, parseJson, writeFileAtomic } from "@waybill/oci";
import type { Backend, BackendName } from "./backend.ts";
import { backendOf } from "./kinds.ts";
import { type BackendSettings, checkSettings, readSettings, writeSettings } from "./settings.ts";
import { USUAL_UPSTREAMS } from "./upstreams.ts";

export interface BackendChoice {
  backend: Exclude<BackendName, "waybill">;
  /** Absent: the one that is set up. */
  url: string | undefined;
  storage: string | undefined;
}

/**
 * @returns the backend, and the folder its files are in
 * @throws {WaybillError} no URL, or a wrong setting; then nothing was written
 */
export async function setUpBackend(
  folder: string,
  choice: BackendChoice,
): Promise<{ backend: Backend; files: string }> {
  const before = await readSettings(folder);
  const same = before?.backend === choice.backend ? before : undefined;
  const url = choice.url ?? same?.url;
  if (url === undefined)
    throw new WaybillError("where the registry answers isn't said", { mend: "add --url https://…" });
  const storage = choice.storage ?? same?.storage;
  const upstreams = same?.upstreams ?? (await upstreamsOf(folder));
  const given = { backend: choice.backend, url, ...(storage !== undefined && { storage }), upstreams };
  const settings = checkSettings(folder, given);
  const backend = backendOf(settings);
  const files = join(folder, choice.backend);
  for (const [name, text] of Object.entries(backend.files())) await writeFileAtomic(join(files, name), text);
  await writeSettings(folder, settings);
  return { backend, files };
}

/** The upstreams of the mirror that was; of a new one the usual. */
async function upstreamsOf(folder: string): Promise<BackendSettings["upstreams"]> {
  const text = await readFile(join(folder, "config.json"), "utf8").catch(() => undefined);
  if (text === undefined) return Object.fromEntries(USUAL_UPSTREAMS.map((host) => [host, {}]));
  const { upstreams = {} } = parseJson(text, join(folder, "config.json")) as Partial<BackendSettings>;
  const known = Object.entries(upstreams).filter(([host]) => host !== "*");
  return Object.fromEntries(known.map(([host, { url }]) => [host, url === undefined ? {} : { url }]));
}
