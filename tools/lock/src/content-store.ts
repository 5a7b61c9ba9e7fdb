// The download cache: gives a content's file, getting it only when it isn't there yet. Two images that ask for the same
// package at the same time in one process share one download.

import { stat } from "node:fs/promises";
import { contentPath } from "./cache.ts";
import type { Content } from "./cache.ts";

const underWay = new Map<string, Promise<void>>();

/** True when the cache has the content. It was verified when it was stored; only its size is looked at here. */
async function isStored(cacheDir: string, content: Content): Promise<boolean> {
  const found = await stat(contentPath(cacheDir, content)).catch(() => undefined);
  return found !== undefined && (content.size === undefined || found.size === content.size);
}

/** The content's file; `get` is called with its place where it is missing. */
export async function ensureStored(
  cacheDir: string,
  content: Content,
  get: (file: string) => Promise<void>,
): Promise<string> {
  const file = contentPath(cacheDir, content);
  const running = underWay.get(file) ?? start(cacheDir, content, file, get);
  await running;
  return file;
}

function start(cacheDir: string, content: Content, file: string, get: (file: string) => Promise<void>): Promise<void> {
  const task = (async () => {
    if (!(await isStored(cacheDir, content))) await get(file);
  })().finally(() => underWay.delete(file));
  underWay.set(file, task);
  return task;
}
