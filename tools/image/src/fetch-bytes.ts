// Bytes of an image from the remote cache, for who needs them now.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type CacheOptions, Remote, accessOf, cacheSettings, isOff } from "@waybill/cache";
import { cacheHome, withLock } from "@waybill/engine";
import { type ImageRecord, messageOf } from "@waybill/oci";
import { hasBytes, store } from "./bytes.ts";
import type { Image } from "./image.ts";
import { pluginOptions } from "./settings.ts";

/**
 * Brings the bytes of the record into the store, where they aren't there already.
 * @returns false where there is no remote cache, or it hasn't got them; what went wrong is told on stderr
 */
export async function bringBytes(image: Image, record: ImageRecord): Promise<boolean> {
  try {
    const options: CacheOptions = await pluginOptions();
    const settings = isOff() ? undefined : cacheSettings(options);
    if (settings === undefined) return false;
    const remote = new Remote(settings, accessOf(settings.repository), store());
    const fetched = await alone(record, async () => (await hasBytes(record)) || (await remote.fetch(record)));
    if (remote.fault !== undefined) console.error(`waybill: remote cache: ${remote.fault}`);
    return fetched;
  } catch (error) {
    console.error(`waybill: ${image.name} is not fetched from the remote cache: ${messageOf(error)}`);
    return false;
  }
}

/** Several tasks may want one image at the same time: the first fetches it. */
async function alone<T>(record: ImageRecord, action: () => Promise<T>): Promise<T> {
  const folder = join(cacheHome(), "locks");
  await mkdir(folder, { recursive: true });
  return await withLock(join(folder, record.digest.replace(":", "-")), action);
}
