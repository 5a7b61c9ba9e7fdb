// The files of a folder that people wrote: what git would take, and without git all but what tools leave.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, run } from "@waybill/oci";

const LEFT_BY_TOOLS = new Set([".git", "node_modules", "dist", "vendor", "target", ".venv"]);

/** @returns paths from the folder, in order @throws {WaybillError} it can't be read */
export async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`the folder can't be read (${cause.code})`, { where: folder, cause });
  });
  if (entries.length === 0) return [];
  return ((await fromGit(folder)) ?? (await Array.fromAsync(walk(folder, "")))).sort();
}

/** Undefined outside of a repository, and where there is no git. */
async function fromGit(folder: string): Promise<string[] | undefined> {
  const args = ["-C", folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"];
  const { exitCode, stdout } = await run("git", args).catch(() => ({ exitCode: 1, stdout: "" }));
  const files = stdout.split("\0").filter((file) => file !== "");
  return exitCode === 0 && files.length > 0 ? files : undefined;
}

async function* walk(root: string, path: string): AsyncGenerator<string> {
  for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
    const file = path === "" ? entry.name : `${path}/${entry.name}`;
    if (entry.isFile()) yield file;
    // Links may lead out of the folder, or back into it.
    else if (entry.isDirectory() && !LEFT_BY_TOOLS.has(entry.name)) yield* walk(root, file);
  }
}
