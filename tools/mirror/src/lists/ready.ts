// Where lists are: ready ones come with Waybill and go by a name, others are files.

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { WaybillError } from "@waybill/oci";
import { type Wanted, parseList } from "./list.ts";

const FOLDER = join(import.meta.dirname, "../../lists");
const ENDING = ".txt";

/** The names of the lists that come with Waybill. */
export function readyLists(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(ENDING))
    .map((name) => name.slice(0, -ENDING.length))
    .sort();
}

/** True for what names a list, and not an image: a ready one's name, or a file that ends as lists do. */
export const isList = (text: string): boolean => text.endsWith(ENDING) || readyLists().includes(text);

/**
 * @param name a ready list's, or a file
 * @param folder where relative files are from
 * @throws {WaybillError} there is none, or it has lines that are wrong
 */
export async function loadList(name: string, folder = process.cwd()): Promise<Wanted[]> {
  const ready = join(FOLDER, name + ENDING);
  const isReady = readyLists().includes(name);
  const file = isReady ? ready : resolve(folder, name);
  if (!existsSync(file))
    throw new WaybillError(`there is no list ${name}`, {
      where: file,
      mend: `name a file, or one of ${readyLists().join(", ")}`,
    });
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`the list can't be read (${cause.code})`, { where: file, cause });
  });
  return parseList(text, isReady ? name : file);
}
