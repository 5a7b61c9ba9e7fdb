// Where the mirror of this machine keeps its settings and its store.

import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** @param given as a flag; else $WAYBILL_MIRROR_DIR, else in the XDG data folder */
export function mirrorFolder(given?: string): string {
  const data = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return resolve(given ?? process.env["WAYBILL_MIRROR_DIR"] ?? join(data, "waybill", "mirror"));
}
