// The mirror of a folder: what it is set up as, and whether it answers now. Clients use it when it is there and go on without it when
// it isn't, so asking costs no more than a moment.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { RegistryClient } from "@waybill/oci/registry";
import type { RegistryOptions } from "@waybill/oci/registry";
import { findRunning, loadConfig } from "@waybill/registry";
import { type Backend, type Located, isPlain } from "./backend.ts";
import { backendOf } from "./kinds.ts";
import { readSettings } from "./settings.ts";
import { waybill } from "./waybill.ts";

const ANSWER_WITHIN_MS = 2_000;
const ONCE = { attempts: 1, pauseMs: 0, maxPauseMs: 0 };

/** Asks for what was located in a mirror, with the patience that it needs. */
export function clientOf(
  { silentForMs }: Backend,
  { registry, plainHttp }: Located,
  options: RegistryOptions = {},
): RegistryClient {
  return new RegistryClient(registry, { ...options, plainHttp, answerTimeoutMs: silentForMs });
}

/** Whether a folder holds the settings of a registry of our own. */
export const holdsRegistry = (folder: string): boolean => existsSync(join(folder, "config.json"));

/**
 * What a folder is set up as, whether it answers or not.
 * @param url where other machines reach it, if that isn't where it listens
 * @throws {WaybillError} its settings are wrong
 */
export async function readMirror(folder: string, url?: string): Promise<Backend | undefined> {
  const settings = await readSettings(folder);
  if (settings !== undefined) return backendOf(url === undefined ? settings : { ...settings, url });
  return holdsRegistry(folder) ? waybill(await loadConfig(folder), url) : undefined;
}

/** The mirror of a folder, if it answers now. @throws {WaybillError} its settings are wrong */
export async function findMirror(folder: string): Promise<Backend | undefined> {
  const settings = await readSettings(folder);
  if (settings === undefined) {
    const running = await findRunning(folder);
    return running && waybill(await loadConfig(folder), running.url);
  }
  const backend = backendOf(settings);
  return (await answers(backend.url)) ? backend : undefined;
}

/** Asked once: who waits for a mirror could have asked the upstream meanwhile. */
async function answers(url: string): Promise<boolean> {
  const { host } = new URL(url);
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const client = new RegistryClient(host, { plainHttp: isPlain(url), retry: ONCE, signal });
  return await client.ping().then(
    () => true,
    () => false,
  );
}
