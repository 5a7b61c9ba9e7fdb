// Finding another image of the repo by its name, for a set that builds `on` it.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { WaybillError } from "@waybill/oci";
import { readDeclaration } from "./declaration.ts";
import type { DebianArchitecture } from "./debian/archive.ts";
import { LOCK_FILE, readLock } from "./lock-file.ts";
import type { DebianPackage } from "./schema.ts";

/**
 * The folder of the image `name`, from the folder of any other: images/<name> or images/bases/<name>.
 * @throws {WaybillError} there is none
 */
function imageFolderOf(name: string, fromImageFolder: string): string {
  const parent = dirname(resolve(fromImageFolder));
  const places = [parent, join(parent, "bases"), dirname(parent)].map((folder) => join(folder, name));
  const found = places.find((folder) => existsSync(join(folder, "project.json")));
  if (found === undefined) {
    const mend = `use a name under images/ or images/bases/`;
    throw new WaybillError(`a package set stands on the image "${name}", which isn't there`, {
      where: fromImageFolder,
      mend,
    });
  }
  return found;
}

/**
 * Every Debian package the image `name` has by its lock, with what it stands on itself.
 * @throws {WaybillError} the image isn't locked for `arch`, or images stand on each other in a circle
 */
export async function packagesOf(
  name: string,
  arch: DebianArchitecture,
  fromImageFolder: string,
  seen: readonly string[] = [],
): Promise<DebianPackage[]> {
  if (seen.includes(name)) {
    throw new WaybillError(`images stand on each other: ${[...seen, name].join(" -> ")}`, { where: fromImageFolder });
  }
  const folder = imageFolderOf(name, fromImageFolder);
  const [declaration, lock] = await Promise.all([readDeclaration(folder), readLock(folder)]);
  const found = new Map<string, DebianPackage>();
  for (const [set, { on }] of Object.entries(declaration.packages)) {
    const below = on === undefined ? [] : await packagesOf(on, arch, folder, [...seen, name]);
    const locked = lock.packages[set]?.[arch];
    if (locked === undefined) {
      const mend = `run \`waybill lock ${name}\` first`;
      throw new WaybillError(`the set "${set}" isn't locked for ${arch}`, { where: join(folder, LOCK_FILE), mend });
    }
    for (const one of [...below, ...locked]) found.set(one.name, one);
  }
  return [...found.values()];
}
