// A flat folder of a set's files under their own names, as a build context needs it. Files are hard links into the download
// cache (BuildKit sends no symbolic link's target), or copies where the file system has no hard links.

import { createHash, randomUUID } from "node:crypto";
import { copyFile, link, mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { contentPath, viewPath } from "./cache.ts";
import type { Content } from "./cache.ts";

interface ViewFile {
  /** File name in the folder. */
  name: string;
  content: Content;
}

/** The place of the view of these files. A view appears by one rename, so it is complete when its folder exists. */
export function viewOf(cacheDir: string, files: readonly ViewFile[]): string {
  const lines = files.map(({ name, content }) => `${content.algorithm}:${content.hex} ${name}\n`).sort();
  return viewPath(cacheDir, createHash("sha256").update(lines.join("")).digest("hex"));
}

export async function isComplete(view: string): Promise<boolean> {
  return (await stat(view).catch(() => undefined))?.isDirectory() ?? false;
}

/** Makes the view; every file's content must be in the cache. */
export async function makeView(cacheDir: string, files: readonly ViewFile[]): Promise<string> {
  const view = viewOf(cacheDir, files);
  if (await isComplete(view)) return view;
  const temporary = join(dirname(view), `.${randomUUID()}.tmp`);
  await mkdir(temporary, { recursive: true });
  try {
    for (const { name, content } of files) await place(contentPath(cacheDir, content), join(temporary, name));
    // Time stamps reach some builds: the same set looks the same on every machine.
    await utimes(temporary, 0, 0);
    await rename(temporary, view).catch(async (error: unknown) => {
      if (!(await isComplete(view))) throw error; // else another process was first, with the same files
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return view;
}

async function place(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EXDEV" && code !== "EPERM" && code !== "EMLINK" && code !== "ENOTSUP") throw error;
    await copyFile(source, target);
    await utimes(target, 0, 0);
  }
}
