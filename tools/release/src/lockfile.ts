// package-lock.json after new versions: npm writes the workspace's own packages into it, and `npm ci` refuses a lock that disagrees.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseJson } from "@waybill/oci";

type Fields = Record<string, unknown>;

/** What npm copies of a workspace's package.json into the lock. */
const COPIED = ["version", "dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

/**
 * The lock's text with the versions that the workspace's package.json files have now.
 * @returns undefined where there is no lock, or it says so already
 */
export async function syncedLock(root: string): Promise<string | undefined> {
  const file = join(root, "package-lock.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const lock = parseJson(text, file) as { packages?: Record<string, Fields> };
  for (const [folder, entry] of Object.entries(lock.packages ?? {})) {
    if (folder.includes("node_modules/") || folder === "") continue;
    const own = await readFile(join(root, folder, "package.json"), "utf8").catch(() => undefined);
    if (own !== undefined) copy(parseJson(own, join(folder, "package.json")) as Fields, entry);
  }
  const synced = `${JSON.stringify(lock, undefined, 2)}\n`;
  return synced === text ? undefined : synced;
}

function copy(own: Fields, entry: Fields): void {
  for (const field of COPIED) {
    if (own[field] !== undefined && entry[field] !== undefined) entry[field] = own[field];
  }
}
