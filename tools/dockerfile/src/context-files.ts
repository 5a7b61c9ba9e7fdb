// The files Docker sends as the build context, for the context's budget. An ignored folder is entered only where a "!" may send
// something below it.

import { readdir, lstat, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { WaybillError } from "@waybill/oci/error";
import { parseIgnore } from "./ignore.ts";
import type { Ignore, IgnoreState } from "./ignore.ts";

export interface ContextFile {
  /** Relative to the context, "/" between its parts. */
  path: string;
  /** Bytes; 0 for a symbolic link. */
  size: number;
}

/** The ignore file a Dockerfile goes by: `<Dockerfile>.dockerignore` beside it, else .dockerignore in the context, else none. */
export async function readIgnore(folder: string, dockerfile = join(folder, "Dockerfile")): Promise<Ignore> {
  const own = await readIfThere(join(dirname(dockerfile), `${basename(dockerfile)}.dockerignore`));
  return parseIgnore(own ?? (await readIfThere(join(folder, ".dockerignore"))) ?? "");
}

/** All files and links that are sent, sorted by path. */
export async function contextFiles(folder: string, ignore?: Ignore): Promise<ContextFile[]> {
  const files: ContextFile[] = [];
  await walk(folder, "", ignore ?? (await readIgnore(folder)), undefined, files);
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

async function walk(
  folder: string,
  prefix: string,
  ignore: Ignore,
  parent: IgnoreState | undefined,
  files: ContextFile[],
) {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = prefix + entry.name;
    const state = ignore.enter(path, parent);
    if (entry.isDirectory()) {
      if (state.ignored && !ignore.mayHoldException(path)) continue;
      await walk(join(folder, entry.name), `${path}/`, ignore, state, files);
    } else if (!state.ignored) {
      const { size } = entry.isSymbolicLink() ? { size: 0 } : await lstat(join(folder, entry.name));
      files.push({ path, size });
    }
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new WaybillError("can't read the ignore file", { where: file, mend: "is it a readable file?", cause });
  }
}
