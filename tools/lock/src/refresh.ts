// Refreshing a lock: every pin of an image is found anew, and the difference told as data before anyone commits it.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { WaybillError } from "@waybill/oci";
import { changesBetween } from "./changes.ts";
import type { Change } from "./changes.ts";
import { debianArchitecture, debianSources, platformOf } from "./debian/archive.ts";
import type { DebianArchitecture, DebianSources } from "./debian/archive.ts";
import { extraSuitesOf, resolvePackages } from "./debian/resolve.ts";
import { readDeclaration } from "./declaration.ts";
import type { Declaration, PackageSetDeclaration } from "./declaration.ts";
import { resolveFile } from "./files/resolve.ts";
import { packagesOf } from "./images.ts";
import { LOCK_FILE, readLock, writeLock } from "./lock-file.ts";
import { listsOf } from "./schema.ts";
import type { DebianPackage, ImageLock, LockedFile, LockedSource, PackageSet } from "./schema.ts";

export interface RefreshOptions {
  /** As "linux/amd64"; default: what project.json declares, and what the lock has been made for besides. */
  platforms?: readonly string[] | undefined;
  /** References of images that aren't of this repo, as the Dockerfile's FROM lines have them. */
  externalBases?: readonly string[] | undefined;
  /** Asks a registry for the digest of a reference; without it they stay as locked. */
  resolveBase?: ((reference: string) => Promise<string>) | undefined;
  /** The upstream repository's new pin, by `resolveSource`. */
  source?: LockedSource | undefined;
  /** Finds the changes and writes nothing. */
  dryRun?: boolean | undefined;
  sources?: DebianSources | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

export interface Refreshed {
  before: ImageLock;
  after: ImageLock;
  changes: Change[];
}

/**
 * Finds the newest of everything the image in `imageFolder` declares and writes its image.lock.json.
 * @throws {WaybillError} a bad project.json, a name upstream doesn't have, an upstream that can't be reached, no apt here
 */
export async function refreshLock(imageFolder: string, options: RefreshOptions = {}): Promise<Refreshed> {
  const declaration = await readDeclaration(imageFolder);
  const before = await readLock(imageFolder);
  const platforms = options.platforms ?? [...new Set([...declaration.platforms, ...platformsOf(before)])];
  const after: ImageLock = {
    lockVersion: 1,
    ...(options.source !== undefined && { source: options.source }),
    packages: await refreshPackages(imageFolder, declaration, platforms, options),
    files: await refreshFiles(declaration, platforms),
    bases: await refreshBases(imageFolder, before, options),
  };
  const changes = changesBetween(before, after);
  // An image that pins nothing here has no lock.
  if (!options.dryRun && (changes.length > 0 || existsSync(join(imageFolder, LOCK_FILE))))
    await writeLock(imageFolder, after);
  return { before, after, changes };
}

/** A lock may hold more platforms than are built by default; refreshing it doesn't take them away. */
function platformsOf({ packages, files }: ImageLock): string[] {
  const ofPackages = Object.values(packages).flatMap((set) => listsOf(set).map(([arch]) => platformOf(arch)));
  const ofFiles = Object.values(files)
    .flat()
    .map(({ platform }) => platform);
  return [...ofPackages, ...ofFiles.filter((platform) => platform !== undefined)];
}

async function refreshPackages(
  imageFolder: string,
  { packages }: Declaration,
  platforms: readonly string[],
  options: RefreshOptions,
): Promise<Record<string, PackageSet>> {
  const locked: Record<string, PackageSet> = {};
  for (const [name, set] of Object.entries(packages)) {
    const extra = extraSuitesOf(set);
    const entry: PackageSet = { suite: set.suite, ...(extra.length > 0 && { suites: extra }) };
    for (const platform of platforms) {
      const arch = architectureOf(platform, imageFolder);
      entry[arch] = await refreshSet(imageFolder, set, arch, options);
    }
    locked[name] = entry;
  }
  return locked;
}

async function refreshSet(
  imageFolder: string,
  set: PackageSetDeclaration,
  arch: DebianArchitecture,
  { sources = debianSources(), onProgress }: RefreshOptions,
): Promise<DebianPackage[]> {
  const installed = set.on === undefined ? [] : await packagesOf(set.on, arch, imageFolder);
  return await resolvePackages(set, { sources, arch, installed, onProgress });
}

function architectureOf(platform: string, where: string): DebianArchitecture {
  const arch = debianArchitecture(platform);
  if (arch === undefined) throw new WaybillError(`Debian has no packages for the platform ${platform}`, { where });
  return arch;
}

async function refreshFiles(
  { files }: Declaration,
  platforms: readonly string[],
): Promise<Record<string, LockedFile[]>> {
  const locked: Record<string, LockedFile[]> = {};
  for (const [name, requests] of Object.entries(files)) {
    locked[name] = (await Promise.all(requests.map((request) => resolveFile(request, platforms)))).flat();
  }
  return locked;
}

async function refreshBases(
  imageFolder: string,
  before: ImageLock,
  { externalBases = [], resolveBase = (reference) => lockedBase(imageFolder, before, reference) }: RefreshOptions,
): Promise<Record<string, string>> {
  const pairs = externalBases.map(async (reference) => [reference, await resolveBase(reference)] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

/** Where no registry can be asked, a base stays as it is locked. */
function lockedBase(imageFolder: string, { bases }: ImageLock, reference: string): Promise<string> {
  const digest = bases[reference];
  if (digest !== undefined) return Promise.resolve(digest);
  const mend = `add "bases": { "${reference}": "sha256:…" } with the digest to pin`;
  throw new WaybillError(`no registry was asked for the digest of ${reference}`, {
    where: join(imageFolder, LOCK_FILE),
    mend,
  });
}
