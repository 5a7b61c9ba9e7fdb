// Where Waybill keeps what all clones on a machine share: image blobs, downloads, the private engine.

import { createHash } from "node:crypto";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import { defaultCacheDir } from "@waybill/lock/cache";

export const cacheHome = defaultCacheDir;

/** The machine-wide OCI layout that holds every blob Waybill built or fetched; WAYBILL_STORE puts it on another disk. */
export const storeFolder = (): string => process.env["WAYBILL_STORE"] || join(cacheHome(), "store");

export const engineFolder = (): string => join(cacheHome(), "engine");

/**
 * A short folder for sockets: a Unix socket's path may have 107 bytes, and cache folders may be deep. One for each cache, and
 * never by TMPDIR: two shells that set it differently would start two engines over one data folder.
 * @param uid whose engine it is; under sudo not who runs
 */
export function socketFolder(uid = userInfo().uid): string {
  const id = createHash("sha256").update(resolve(cacheHome())).digest("hex").slice(0, 10);
  return join("/tmp", `waybill-${uid}-${id}`);
}
