// The package.json and package-lock.json that a Node image is built with: its production dependencies alone, at the versions of
// the repo's own lock. They lie in the image's npm folder, so that another image's upgrade doesn't touch this one's context.
//
// Nx can prune a lock too (createLockFile), but it needs the whole project graph, writes a version into the file, which each
// release would change, and on a failure it hands back the unpruned lock.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { z } from "zod";
import { readDocument } from "../document.ts";
import type { LockFinding } from "../check.ts";
import { prune } from "./prune.ts";
import type { PrunedEntry } from "./prune.ts";
import { readRootLock } from "./root-lock.ts";
import type { LockEntry, RootLock } from "./root-lock.ts";

const PUBLIC_REGISTRY = "https://registry.npmjs.org/";

/** Folder of the two files, below the image's. */
export const NPM_FOLDER = "npm";

const manifest = z.looseObject({
  name: z.string(),
  type: z.enum(["module", "commonjs"]).optional(),
  dependencies: z.record(z.string(), z.string()).default({}),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});

/** File names in the npm folder, and what is to be in them. */
export type NpmFiles = Record<"package.json" | "package-lock.json", string>;

/**
 * The container's own package.json and lock of the image in `imageFolder`, as they should be.
 * @throws {WaybillError} a dependency isn't in the repo's lock, or is a package of this repo that isn't an image
 */
export async function npmFiles(imageFolder: string): Promise<NpmFiles> {
  const root = await readRootLock(imageFolder);
  const own = await readDocument(join(imageFolder, "package.json"), manifest);
  const path = relative(root.folder, resolve(imageFolder));
  const wanted = { ...own, dependencies: withoutImages(own.dependencies, root, imageFolder) };
  const { packages, missing } = prune(root.packages, path, asEntry(wanted));
  if (missing.length > 0) {
    const mend = "run `npm install` in the repo";
    throw new WaybillError(`package-lock.json lacks ${missing.join(", ")}`, { where: root.folder, mend });
  }
  const top = compact({
    name: own.name,
    dependencies: wanted.dependencies,
    optionalDependencies: own.optionalDependencies,
  });
  return {
    "package.json": format({ name: own.name, private: true, ...(own.type && { type: own.type }), ...top }),
    "package-lock.json": format({
      name: own.name,
      lockfileVersion: 3,
      requires: true,
      packages: { "": top, ...sortedEntries(packages) },
    }),
  };
}

/** Writes the files; gives the names of those that changed. Errors as `npmFiles`. */
export async function writeNpmLock(imageFolder: string): Promise<string[]> {
  const changed: string[] = [];
  for (const [name, text] of Object.entries(await npmFiles(imageFolder))) {
    const file = join(imageFolder, NPM_FOLDER, name);
    if ((await textOf(file)) === text) continue;
    await writeFileAtomic(file, text);
    changed.push(file);
  }
  return changed;
}

/** The files that aren't as the repo's lock says they should be; none for an image without an npm folder. */
export async function checkNpmLock(imageFolder: string): Promise<LockFinding[]> {
  if (!existsSync(join(imageFolder, NPM_FOLDER))) return [];
  const findings: LockFinding[] = [];
  for (const [name, text] of Object.entries(await npmFiles(imageFolder))) {
    const file = join(imageFolder, NPM_FOLDER, name);
    const found = await textOf(file);
    if (found === text) continue;
    findings.push({
      file,
      message: found === undefined ? "file not found" : "differs from the repo's package-lock.json",
    });
  }
  return findings;
}

async function textOf(file: string): Promise<string | undefined> {
  return existsSync(file) ? await readFile(file, "utf8") : undefined;
}

/** An image in package.json is an edge of the graph, not code. Other packages of this repo can't be installed in a container. */
function withoutImages(
  dependencies: Record<string, string>,
  { packages, folder }: RootLock,
  where: string,
): Record<string, string> {
  const kept = Object.entries(dependencies).filter(([name]) => {
    const entry = packages[`node_modules/${name}`];
    if (!entry?.link) return true;
    if (entry.resolved?.startsWith("images/") || existsSync(join(folder, entry.resolved ?? "", "Dockerfile")))
      return false;
    const mend = "bundle it into the image's own code, and list it in devDependencies";
    throw new WaybillError(`${name} is a package of this repo, which npm can't install in a container`, {
      where,
      mend,
    });
  });
  return Object.fromEntries(kept);
}

function asEntry({ dependencies, optionalDependencies }: Partial<LockEntry>): LockEntry {
  return {
    dependencies: dependencies ?? {},
    optionalDependencies: optionalDependencies ?? {},
    peerDependencies: {},
    peerDependenciesMeta: {},
  };
}

function sortedEntries(packages: Record<string, PrunedEntry>): Record<string, object> {
  const paths = Object.keys(packages).sort();
  return Object.fromEntries(paths.map((path) => [path, lockedEntry(packages[path])]));
}

/** The entry without marks that were true of the repo only, and without the address of a private mirror. */
function lockedEntry(pruned: PrunedEntry | undefined): object {
  if (pruned === undefined) return {};
  const { dev: _, devOptional: __, optional: ___, peer: ____, extraneous: _____, resolved, ...rest } = pruned.entry;
  const address = resolved?.startsWith(PUBLIC_REGISTRY) ? { resolved } : {};
  return inNpmsOrder(compact({ ...rest, ...address, ...(pruned.optional && { optional: true }) }));
}

const FIRST = ["name", "version", "resolved", "integrity", "dependencies"];

/** The order npm writes, so that a person who runs npm on the file sees no difference: plain values first, then objects. */
function inNpmsOrder(entry: object): object {
  const rank = (key: string, value: unknown): string => {
    const isObject = typeof value === "object" && !Array.isArray(value);
    const first = FIRST.indexOf(key);
    return `${isObject ? 1 : 0} ${first === -1 ? FIRST.length : first} ${key}`;
  };
  const entries = Object.entries(entry).map(([key, value]) => ({ key, value, rank: rank(key, value) }));
  entries.sort((a, b) => a.rank.localeCompare(b.rank, "en"));
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

/** Without absent and empty members. */
function compact(value: object): object {
  const isEmpty = (item: unknown): boolean =>
    item === undefined || (typeof item === "object" && item !== null && Object.keys(item).length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, item]) => !isEmpty(item)));
}

function format(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
