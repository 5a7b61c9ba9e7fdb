// A program of a built image as a file of this machine: static programs that the repo's own tools and tests run (Kubernetes, Helm)
// are built like everything else, and need no container to run in.

import { existsSync } from "node:fs";
import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheHome, hostPlatform } from "@waybill/engine";
import { WaybillError, type PlatformRecord, readTree, writeFileAtomic } from "@waybill/oci";
import { ensureBytes, recordOfImage, store } from "./bytes.ts";
import { findImage } from "./image.ts";

const WEEK_MS = 7 * 24 * 3_600_000;

/**
 * Takes one file out of a built image, once for each digest of the image.
 * @param name the image's name
 * @param path of the program in the image: "usr/local/bin/helm4". It must need nothing else of the image
 * @returns absolute path of an executable file
 * @throws {WaybillError} the image was never built, or not for this machine, or has no such file
 */
export async function programOf(name: string, path: string): Promise<string> {
  const image = await findImage(name);
  const record = await recordOfImage(image);
  const platform = record.platforms.find((each) => each.platform === hostPlatform());
  if (platform === undefined) {
    const mend = `\`npx waybill build ${name} --platform ${hostPlatform()}\``;
    throw new WaybillError(`${name} is not built for ${hostPlatform()}`, { where: image.folder, mend });
  }
  const folder = join(cacheHome(), "programs", name);
  const file = join(folder, platform.digest.replace("sha256:", "").slice(0, 20), basename(path));
  if (!existsSync(file)) {
    await ensureBytes(image, record);
    await writeFileAtomic(file, await contentOf(platform, path), 0o755);
    await forgetOld(folder);
  }
  return file;
}

async function contentOf({ digest, layers }: PlatformRecord, path: string): Promise<Buffer> {
  const headBytes = (each: string, size: number): number => (each === path ? size : 0);
  const entry = (await readTree(store(), layers, { headBytes })).get(path);
  if (entry?.type !== "file") throw new WaybillError(`there is no file ${path} in the image`, { where: digest });
  return entry.head;
}

/** Programs of images that were built over are hundreds of megabytes; another clone may still run last week's. */
async function forgetOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > WEEK_MS) await rm(join(folder, name), { recursive: true, force: true });
  }
}
