// The folder that a set of pinned upstream files becomes for a build: Debian packages as they are or unpacked, npm and PyPI files.

import { join, relative } from "node:path";
import { debianArchitecture } from "@waybill/lock/debian/archive";
import { fetchFiles } from "@waybill/lock/fetch-files";
import { fetchPackages } from "@waybill/lock/fetch-packages";
import { LOCK_FILE, readLock } from "@waybill/lock/lock-file";
import type { SetContext } from "@waybill/lock/set-context";
import { WaybillError } from "@waybill/oci/error";
import type { ContextOptions } from "./contexts.ts";
import type { Image } from "./image.ts";

/**
 * Fetches what the set lacks.
 * @param place the line that asks for it, for errors
 * @returns an absolute path
 * @throws {WaybillError} the set is not pinned, or can't be had
 */
export async function setFolder(
  image: Image,
  { kind, set }: SetContext,
  place: string,
  options: ContextOptions,
): Promise<string> {
  const lock = await readLock(image.folder);
  const where = relative(process.cwd(), join(image.folder, LOCK_FILE));
  const frozen = process.env["WAYBILL_FROZEN_LOCK"] === "1";
  const fetch = { frozen, where, onProgress: options.onLine, signal: options.signal };
  const files = lock.files[set];
  const packages = lock.packages[set];
  if (kind === "files" && files !== undefined) return (await fetchFiles(files, options.platform, fetch)).folder;
  if (kind !== "files" && packages !== undefined) {
    const arch = debianArchitecture(options.platform);
    if (arch === undefined) throw new WaybillError(`Debian has no ${options.platform}`, { where: place });
    const { folder } = await fetchPackages(packages, arch, fetch);
    if (kind === "packages") return folder;
    const { unpackPackages } = await import("@waybill/lock/unpack");
    return unpackPackages(folder);
  }
  throw new WaybillError(`the set "${set}" is not in image.lock.json`, {
    where: place,
    mend: `declare it in project.json, then \`npx waybill lock ${image.name}\``,
  });
}
