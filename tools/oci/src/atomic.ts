// Nothing half written: a file appears under its name only when all of it is on the disk. A crash or a kill leaves at most a
// temporary file beside it, never a torn one in its place.

import { randomUUID } from "node:crypto";
import { mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file being written beside the one it will replace (rename is atomic within one file system only). */
export interface AtomicFile {
  readonly handle: FileHandle;
  /** Flushes to the disk and puts the file in its place, or under another name of the same folder that is known only now. */
  commit(name?: string): Promise<void>;
  /** Removes what was written; after `commit` it does nothing. */
  discard(): Promise<void>;
}

/** Begins to write `file`, making its folder where it is missing. Always end with `discard()`, in a `finally`. */
/** @param durable false for what can be had again: it is whole or not there, but a power cut may take it */
export async function openAtomic(file: string, mode = 0o644, durable = true): Promise<AtomicFile> {
  const folder = dirname(file);
  const temporary = join(folder, `.${basename(file).slice(0, 80)}.${randomUUID()}.tmp`);
  await makeFolder(folder, durable);
  const handle = await open(temporary, "wx", mode);
  let placed = false;
  return {
    handle,
    async commit(name = basename(file)) {
      if (durable) await handle.sync();
      await handle.close();
      await rename(temporary, join(folder, name));
      placed = true;
      if (durable) await syncFolder(folder);
    },
    async discard() {
      if (placed) return;
      await handle.close();
      await rm(temporary, { force: true });
    },
  };
}

/** Replaces `file` by `content` in one step, or leaves it as it was. */
export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  mode?: number,
  durable = true,
): Promise<void> {
  const atomic = await openAtomic(file, mode, durable);
  try {
    await atomic.handle.writeFile(content);
    await atomic.commit();
  } finally {
    await atomic.discard();
  }
}

/** As `mkdir -p`; the names of folders that are new survive a power cut too. */
async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined || !durable) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Makes a rename survive a power cut: the name is in the folder's own data. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
