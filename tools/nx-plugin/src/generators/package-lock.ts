// Makes a new image known to package-lock.json, as npm would, but without asking npm: with node_modules there it drops other platforms'
// packages from the lock, and `npm ci` refuses a lock that lacks a workspace.

import { existsSync } from "node:fs";
import { mkdir, readFile, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
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
  const before = await readFile(file, "utf8");
  const lock = JSON.parse(before) as PackageLock;
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
  const after = `${JSON.stringify(lock, undefined, 2)}\n`;
  await writeFileAtomic(file, after);
  await staySetUp(root, { name, folder, before, after });
}

/**
 * Of the new lock npm would install one link. A clone that is set up makes it here and notes the lock as installed (`./nx` compares), as
 * `npm ci` would put all of node_modules there anew.
 */
async function staySetUp(root: string, of: { name: string; folder: string; before: string; after: string }) {
  const stamp = join(root, "node_modules/.waybill-setup");
  const text = await readFile(stamp, "utf8").catch(() => undefined);
  if (text === undefined || !text.endsWith(of.before)) return;
  const link = join(root, "node_modules", of.name);
  await mkdir(dirname(link), { recursive: true });
  if (!existsSync(link)) await symlink(relative(dirname(link), join(root, of.folder)), link);
  await writeFileAtomic(stamp, text.slice(0, -of.before.length) + of.after);
}
