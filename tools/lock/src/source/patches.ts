// The changes that an image's folder makes to upstream's files.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Below the image's folder; `*.patch` of it are applied in the order of their names. */
const PATCHES = "patches";

/** Absolute paths, in order. */
export async function patchesOf(imageFolder: string): Promise<string[]> {
  const names = await readdir(join(imageFolder, PATCHES)).catch(() => []);
  return names
    .filter((name) => name.endsWith(".patch"))
    .toSorted()
    .map((name) => join(imageFolder, PATCHES, name));
}
