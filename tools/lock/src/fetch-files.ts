// The pinned npm and PyPI files of a set as a folder. Their registries keep every version for good, so there is no drift.

import { contentOfIntegrity, defaultCacheDir } from "./cache.ts";
import type { Content } from "./cache.ts";
import { ensureStored } from "./content-store.ts";
import { onDisk } from "./disk.ts";
import { PARALLEL } from "./fetch-packages.ts";
import type { FetchOptions } from "./fetch-packages.ts";
import { downloadNpm } from "./files/npm.ts";
import { downloadPypi } from "./files/pypi.ts";
import { mapPool } from "./pool.ts";
import type { LockedFile } from "./schema.ts";
import { isComplete, makeView, viewOf } from "./view.ts";

/**
 * Makes the folder of a set's files for one platform ("linux/amd64"): those of other platforms are left out. Costs one `stat`
 * when the folder is there already.
 * @throws {WaybillError} a file can't be had, or has other bytes than locked
 */
export async function fetchFiles(
  set: readonly LockedFile[],
  platform: string,
  options: FetchOptions = {},
): Promise<{ folder: string }> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const wanted = set.filter((one) => one.platform === undefined || one.platform === platform);
  const files = wanted.map((one) => ({ name: one.file, content: contentOf(one) }));
  const view = viewOf(cacheDir, files);
  if (await isComplete(view)) return { folder: view };
  return await onDisk(cacheDir, async () => {
    await mapPool(wanted, PARALLEL, (one) => ensureStored(cacheDir, contentOf(one), (file) => get(one, file, options)));
    return { folder: await makeView(cacheDir, files) };
  });
}

async function get(one: LockedFile, file: string, options: FetchOptions): Promise<void> {
  options.onProgress?.(`downloading ${one.kind}:${one.name}@${one.version}`);
  await (one.kind === "npm" ? downloadNpm(one, file, options.signal) : downloadPypi(one, file, options));
}

function contentOf({ kind, integrity }: LockedFile): Content {
  return kind === "npm" ? contentOfIntegrity(integrity) : { algorithm: "sha256", hex: integrity };
}
