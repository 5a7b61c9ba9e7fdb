// The repo's package-lock.json (lockfileVersion 2 or 3) as a tree: which package a dependency means from a given place.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { WaybillError } from "@waybill/oci";
import { z } from "zod";
import { readDocument } from "../document.ts";

const names = z.record(z.string(), z.string()).default({});

const lockEntry = z.looseObject({
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  link: z.boolean().optional(),
  inBundle: z.boolean().optional(),
  dependencies: names,
  optionalDependencies: names,
  peerDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.looseObject({ optional: z.boolean().optional() })).default({}),
});

const rootLockFile = z.looseObject({
  lockfileVersion: z.union([z.literal(2), z.literal(3)]),
  packages: z.record(z.string(), lockEntry),
});

export type LockEntry = z.output<typeof lockEntry>;

export interface RootLock {
  folder: string;
  /** By path below the repo: "node_modules/pg", "images/api/node_modules/pg". */
  packages: Record<string, LockEntry>;
}

/**
 * The package-lock.json of the repo that holds `imageFolder`.
 * @throws {WaybillError} there is none, or it isn't one this code can read
 */
export async function readRootLock(imageFolder: string): Promise<RootLock> {
  const folder = rootOf(resolve(imageFolder));
  if (folder === undefined) {
    throw new WaybillError("no package-lock.json above the image", { where: imageFolder, mend: "run `npm install`" });
  }
  return { folder, packages: (await readDocument(join(folder, "package-lock.json"), rootLockFile)).packages };
}

/** The nearest folder above with a package-lock.json. The image's own one, in its npm folder, lies below it. */
function rootOf(folder: string): string | undefined {
  if (existsSync(join(folder, "package-lock.json"))) return folder;
  return dirname(folder) === folder ? undefined : rootOf(dirname(folder));
}

/** Where Node would find `name` from the package at `path`: in its node_modules, or in one of the folders above it. */
export function locate(packages: Record<string, unknown>, path: string, name: string): string | undefined {
  for (let folder = path; ; folder = parentOf(folder)) {
    const candidate = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[candidate] !== undefined) return candidate;
    if (folder === "") return undefined;
  }
}

/** The next folder above that can have a node_modules: of "a/node_modules/b" it is "a", of "images/api" "images". */
function parentOf(path: string): string {
  const at = path.lastIndexOf("node_modules/");
  if (at === 0) return "";
  return at > 0 ? path.slice(0, at - 1) : path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}
