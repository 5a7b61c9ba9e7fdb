// Which mirror a command is about.

import { command as ask } from "@waybill/registry";
import { type Backend, findMirror, mirrorFolder, readMirror } from "@waybill/mirror/backend";
import { WaybillError } from "@waybill/oci";
import { type Values, text } from "../command.ts";

/** Every action of the mirror takes it. */
export const DIR = { dir: { type: "string" } } as const;

/** `--dir`, else $WAYBILL_MIRROR_DIR, else in the XDG data folder. */
export const folderOf = (values: Values): string => mirrorFolder(text(values, "dir"));

/** As `folderOf`, for what only Waybill's own registry does. @throws {WaybillError} another registry is the mirror */
export async function ourFolderOf(values: Values): Promise<string> {
  const folder = folderOf(values);
  const mirror = await readMirror(folder);
  if (mirror === undefined || mirror.name === "waybill") return folder;
  throw new WaybillError(`the mirror is ${mirror.name} at ${mirror.url}, which has ways of its own for this`, {
    where: folder,
    mend: "docs/mirror-backends.md",
  });
}

/** The mirror that runs. @throws {WaybillError} none does */
export async function runningMirror(folder: string): Promise<Backend> {
  const mirror = await findMirror(folder);
  if (mirror !== undefined) return mirror;
  const asSetUp = await readMirror(folder);
  if (asSetUp === undefined || asSetUp.name === "waybill") throw notRunning(folder);
  throw new WaybillError(`${asSetUp.name} does not answer`, { where: asSetUp.url, mend: asSetUp.next });
}

/** @throws {WaybillError} the mirror is not running */
export async function askRunning(folder: string, name: string, options: Record<string, string> = {}): Promise<unknown> {
  const answer = await ask(folder, name, options);
  if (answer === undefined) throw notRunning(folder);
  return answer;
}

const notRunning = (folder: string): WaybillError =>
  new WaybillError("the mirror is not running", { where: folder, mend: "npx waybill mirror start" });
