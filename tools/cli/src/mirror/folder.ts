// Where the mirror of this machine keeps its settings and its store.

import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { WaybillError } from "@waybill/oci";
import { command as ask } from "@waybill/registry";
import { type Values, text } from "../command.ts";

/** Every action of the mirror takes it. */
export const DIR = { dir: { type: "string" } } as const;

/** `--dir`, else $WAYBILL_MIRROR_DIR, else in the XDG data folder. */
export function folderOf(values: Values): string {
  const given = text(values, "dir") ?? process.env["WAYBILL_MIRROR_DIR"];
  const data = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return resolve(given ?? join(data, "waybill", "mirror"));
}

export async function holdsRegistry(folder: string): Promise<boolean> {
  return await readFile(join(folder, "config.json")).then(
    () => true,
    () => false,
  );
}

/** @throws {WaybillError} the mirror is not running */
export async function askRunning(folder: string, name: string, options: Record<string, string> = {}): Promise<unknown> {
  const answer = await ask(folder, name, options);
  if (answer !== undefined) return answer;
  throw new WaybillError("the mirror is not running", { where: folder, mend: "npx waybill mirror start" });
}
