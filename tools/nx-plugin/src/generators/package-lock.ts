// Makes a new image known to package-lock.json, as npm would, but without asking npm: with node_modules there it drops other platforms'
// packages from the lock, and `npm ci` refuses a lock that lacks a workspace.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci/atomic";

interface PackageFile {
  name: string;
  version: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

interface PackageLock {
  packages: Record<string, object>;
}

/** @param folder of the image, relative to the workspace */
export async function addToPackageLock(root: string, folder: string): Promise<void> {
  const file = join(root, "package-lock.json");
  if (!existsSync(file)) return;
  const lock = JSON.parse(await readFile(file, "utf8")) as PackageLock;
  const { name, version, dependencies, devDependencies } = JSON.parse(
    await readFile(join(root, folder, "package.json"), "utf8"),
  ) as PackageFile;
  lock.packages[folder] = {
    name,
    version,
    ...(dependencies && { dependencies }),
    ...(devDependencies && { devDependencies }),
  };
  lock.packages[`node_modules/${name}`] = { resolved: folder, link: true };
  const sorted = Object.entries(lock.packages).toSorted(([one], [other]) => one.localeCompare(other, "en"));
  lock.packages = Object.fromEntries(sorted);
  await writeFileAtomic(file, `${JSON.stringify(lock, undefined, 2)}\n`);
}
