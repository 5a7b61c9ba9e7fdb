// Where downloads are kept: one file for each content, named by its hash, shared by every clone on the machine.

import { homedir } from "node:os";
import { join } from "node:path";

/** Waybill's cache folder: $WAYBILL_CACHE, else $XDG_CACHE_HOME/waybill, else ~/.cache/waybill. */
export function defaultCacheDir(env: NodeJS.ProcessEnv = process.env): string {
  return env.WAYBILL_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "waybill");
}

/** What a download has to be. `hex` is lower case; `size` in bytes, where it is known. */
export interface Content {
  algorithm: "sha256" | "sha512";
  hex: string;
  size?: number;
}

/** The place of a content in the cache. */
export function contentPath(cacheDir: string, { algorithm, hex }: Content): string {
  return join(cacheDir, "downloads", algorithm, hex);
}

/** The place of a folder view, named by the hash of what is in it. */
export function viewPath(cacheDir: string, hex: string): string {
  return join(cacheDir, "downloads", "sets", hex);
}

/** Reads npm's integrity ("sha512-<base64>") as a content. */
export function contentOfIntegrity(integrity: string): Content {
  return { algorithm: "sha512", hex: Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex") };
}
