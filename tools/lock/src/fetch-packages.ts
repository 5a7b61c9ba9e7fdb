// The pinned Debian packages of a set as a folder. Debian drops old versions, so there are three places to look: the archive,
// Debian's snapshot archive, and at last the newest of the suite, with each package that drifted named.

import { WaybillError } from "@waybill/oci";
import { defaultCacheDir } from "./cache.ts";
import type { Content } from "./cache.ts";
import { ensureStored } from "./content-store.ts";
import { debianSources, packageFileName, packageUrl, platformOf } from "./debian/archive.ts";
import type { DebianArchitecture, DebianSources } from "./debian/archive.ts";
import { newestOf } from "./debian/newest.ts";
import { isReachable, snapshotUrl } from "./debian/snapshot.ts";
import { isDiskError, onDisk } from "./disk.ts";
import { AbsentError, WrongBytesError, download } from "./download.ts";
import type { DownloadOptions } from "./download.ts";
import { mapPool } from "./pool.ts";
import { listsOf } from "./schema.ts";
import type { DebianPackage, PackageSet } from "./schema.ts";
import { isComplete, makeView, viewOf } from "./view.ts";

export const PARALLEL = 8;

export interface FetchOptions extends DownloadOptions {
  /** Default: `defaultCacheDir()`. */
  cacheDir?: string | undefined;
  /** A pinned version that is gone is an error, not drift. Release runs use it. */
  frozen?: boolean | undefined;
  /** Named in errors: the lock file or the image. */
  where?: string | undefined;
  /** Called with a line for the user. */
  onProgress?: ((line: string) => void) | undefined;
}

export interface PackageFetchOptions extends FetchOptions {
  /** Default: `debianSources()`, which reads the environment. */
  sources?: DebianSources | undefined;
}

/** A locked version that is nowhere any more, and the one used in its place. */
export interface Drift {
  name: string;
  locked: string;
  used: string;
}

export interface FetchedPackages {
  /** Holds the set's .deb files and nothing else. Shared: don't write in it. */
  folder: string;
  /** Empty when everything is as locked. */
  drift: Drift[];
}

/**
 * Makes the folder of a set's packages for one architecture. Costs one `stat` when the folder is there already.
 * @throws {WaybillError} the set isn't locked for `arch`; a package can't be had, or has other bytes than locked;
 *   `frozen` and a pinned version is gone
 */
export async function fetchPackages(
  set: PackageSet,
  arch: DebianArchitecture,
  options: PackageFetchOptions = {},
): Promise<FetchedPackages> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const locked = set[arch];
  if (locked === undefined) throw notLocked(set, arch, options);
  const view = viewOf(cacheDir, locked.map(viewFile));
  if (await isComplete(view)) return { folder: view, drift: [] };

  return await onDisk(cacheDir, () => makeSet(locked, set, arch, cacheDir, options));
}

async function makeSet(
  locked: readonly DebianPackage[],
  set: PackageSet,
  arch: DebianArchitecture,
  cacheDir: string,
  options: PackageFetchOptions,
): Promise<FetchedPackages> {
  const sources = options.sources ?? debianSources();
  const stored = await mapPool(locked, PARALLEL, (one) => storePinned(one, cacheDir, sources, options));
  const gone = locked.filter((_, index) => !stored[index]);
  const drift = gone.length === 0 ? [] : await storeNewest(gone, set, arch, cacheDir, sources, options);
  const used = new Map(drift.map((one) => [one.locked.name, one.used]));
  const folder = await makeView(
    cacheDir,
    locked.map((one) => viewFile(used.get(one.name) ?? one)),
  );
  return { folder, drift: drift.map(asData) };
}

interface Replacement {
  locked: DebianPackage;
  used: DebianPackage;
}

/** Gets a package as pinned; false when neither the archive nor the snapshot archive has it any more. */
async function storePinned(
  one: DebianPackage,
  cacheDir: string,
  sources: DebianSources,
  options: PackageFetchOptions,
): Promise<boolean> {
  const content = contentOf(one);
  try {
    await ensureStored(cacheDir, content, async (file) => {
      try {
        await download(packageUrl(sources, one), file, content, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        const url = error instanceof WaybillError ? await snapshotUrl(sources.snapshot, one) : undefined;
        if (url === undefined) throw error;
        await download(url, file, content, options).catch(preferFirst(error));
      }
    });
    return true;
  } catch (error) {
    if (error instanceof AbsentError) return false;
    throw error;
  }
}

/** When the snapshot archive can't help, the archive's own answer is the one to act on. Other bytes are never passed over. */
function preferFirst(first: unknown): (second: unknown) => never {
  return (second) => {
    throw second instanceof WrongBytesError || isDiskError(second) ? second : first;
  };
}

async function storeNewest(
  gone: readonly DebianPackage[],
  set: PackageSet,
  arch: DebianArchitecture,
  cacheDir: string,
  sources: DebianSources,
  options: PackageFetchOptions,
): Promise<Replacement[]> {
  if (options.frozen) throw await frozenError(gone, sources, options);
  const newest = await newestOf(gone, set, arch, sources).catch((error: unknown) => {
    throw noSuccessor(gone, error, options);
  });
  return await mapPool([...gone.keys()], PARALLEL, async (index) => {
    const [locked, used] = [gone[index], newest[index]];
    if (!locked || !used) throw new Error("a package was lost");
    const content = contentOf(used);
    await ensureStored(cacheDir, content, (file) => download(packageUrl(sources, used), file, content, options));
    options.onProgress?.(
      `drift: ${used.name} ${locked.version} is gone from Debian's archives, used ${used.version} (\`waybill lock\` pins it)`,
    );
    return { locked, used };
  });
}

function contentOf({ sha256, size }: DebianPackage): Content {
  return { algorithm: "sha256", hex: sha256, size };
}

function viewFile(one: DebianPackage): { name: string; content: Content } {
  return { name: packageFileName(one), content: contentOf(one) };
}

function asData({ locked, used }: Replacement): Drift {
  return { name: locked.name, locked: locked.version, used: used.version };
}

function notLocked(set: PackageSet, arch: DebianArchitecture, { where }: FetchOptions): WaybillError {
  const platforms = [...listsOf(set).map(([each]) => each), arch].map(platformOf).join(",");
  return new WaybillError(`the package set isn't locked for ${arch}`, {
    where,
    mend: `run \`waybill lock\` for the image with --platform ${platforms}`,
  });
}

function noSuccessor(gone: readonly DebianPackage[], cause: unknown, { where }: FetchOptions): unknown {
  if (!(cause instanceof WaybillError)) return cause;
  const what = `pinned packages are gone (${list(gone)}) and the newest can't be had: ${cause.what}`;
  return new WaybillError(what, {
    where,
    mend: "run `waybill lock` for the image, which resolves all of it anew",
    cause,
  });
}

function list(packages: readonly DebianPackage[]): string {
  return packages.map(({ name, version }) => `${name} ${version}`).join(", ");
}

async function frozenError(
  gone: readonly DebianPackage[],
  { snapshot }: DebianSources,
  { where }: FetchOptions,
): Promise<WaybillError> {
  const elsewhere = (await isReachable(snapshot))
    ? ""
    : ` (${new URL(snapshot).host}, which may have them, can't be reached)`;
  return new WaybillError(
    `the lock is frozen and pinned packages are gone from Debian's archive: ${list(gone)}${elsewhere}`,
    {
      where,
      mend: "run `waybill lock` for the image and commit the new image.lock.json, or build without --frozen-lock",
    },
  );
}
