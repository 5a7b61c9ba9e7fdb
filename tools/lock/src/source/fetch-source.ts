// An upstream's files as a folder: one commit, fetched once, kept in the cache under the hash of its tree, and from then on there
// without a network. The hash is git's own: a commit names its tree, a tree its files and the commits of its submodules, and git
// checks every object that it receives.

import { randomUUID } from "node:crypto";
import { chmod, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { WaybillError } from "@waybill/oci";
import { defaultCacheDir } from "../cache.ts";
import { onDisk } from "../disk.ts";
import { LOCK_FILE } from "../schema.ts";
import { isBundle } from "./declaration.ts";
import { explainGit, git, gitAt } from "./git.ts";
import { fetchProgress } from "./progress.ts";
import { gitUrl } from "./versions.ts";

/** A commit, and where it is had. */
export interface SourceCommit {
  repository: string;
  version: string;
  commit: string;
  /** Of the commit; absent while it isn't known. */
  tree?: string | undefined;
}

export interface SourceOptions {
  /** Where a bundle is, and what errors are about. */
  imageFolder: string;
  cacheDir?: string | undefined;
  onProgress?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** Called before the network is asked; what it throws stops that. */
  beforeFetch?: (() => Promise<void>) | undefined;
}

export interface FetchedSource {
  tree: string;
  /** Shared: don't write in it. Files have mode 644 or 755 on every machine, and there is no .git. */
  folder: string;
}

export const sourcesFolder = (cacheDir = defaultCacheDir()): string => join(cacheDir, "sources");

export async function isThere(folder: string): Promise<boolean> {
  return (await stat(folder).catch(() => undefined))?.isDirectory() ?? false;
}

/**
 * The commit's files with its submodules. Costs one `stat` where they are there already.
 * @throws {WaybillError} the repository can't be had, no longer has the commit, or its tree is another than the lock says
 */
export async function fetchSource(source: SourceCommit, options: SourceOptions): Promise<FetchedSource> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const sources = sourcesFolder(cacheDir);
  if (source.tree !== undefined && (await isThere(join(sources, source.tree)))) {
    return { tree: source.tree, folder: join(sources, source.tree) };
  }
  await options.beforeFetch?.();
  return await onDisk(cacheDir, async () => {
    const fresh = join(sources, `.${randomUUID()}.tmp`);
    await mkdir(fresh, { recursive: true });
    try {
      const tree = await checkOut(source, fresh, options);
      await normalise(fresh);
      const folder = join(sources, tree);
      await rename(fresh, folder).catch(async (error: unknown) => {
        if (!(await isThere(folder))) throw error; // else another process was first, with the same files
      });
      return { tree, folder };
    } finally {
      await rm(fresh, { recursive: true, force: true });
    }
  });
}

async function checkOut(source: SourceCommit, folder: string, options: SourceOptions): Promise<string> {
  const { repository, version, commit } = source;
  const { signal, onProgress } = options;
  const inside = { cwd: folder, signal };
  onProgress?.(`source: fetching ${repository} ${version} (${commit.slice(0, 12)})`);
  const progress = { ...inside, onLine: fetchProgress(onProgress) };
  await gitAt(repository, ["init", "--quiet"], inside);
  // Submodules may be named relative to it.
  await gitAt(repository, ["remote", "add", "origin", gitUrl(repository, options.imageFolder)], inside);
  await fetchCommit(source, progress);
  const tree = (await gitAt(repository, ["rev-parse", "--verify", `${commit}^{tree}`], inside)).trim();
  if (source.tree !== undefined && source.tree !== tree) {
    throw new WaybillError(`the commit ${commit} has the tree ${tree}, the lock says ${source.tree}`, {
      where: relative(process.cwd(), join(options.imageFolder, LOCK_FILE)),
      mend: "somebody edited the lock: `npx waybill lock` writes it anew",
    });
  }
  await gitAt(repository, ["checkout", "--quiet", "--detach", commit], inside);
  if (await isFile(join(folder, ".gitmodules"))) {
    onProgress?.(`source: fetching the submodules of ${repository}`);
    const update = ["submodule", "update", "--init", "--recursive", "--depth=1", "--progress"];
    await gitAt(`a submodule of ${repository}`, update, progress);
  }
  return tree;
}

/** One commit and nothing of its history, by its hash; by its name from servers and bundles that give no hashes. */
async function fetchCommit(
  source: SourceCommit,
  options: { cwd: string; signal: AbortSignal | undefined },
): Promise<void> {
  const { repository, version, commit } = source;
  const shallow = isBundle(repository) ? [] : ["--depth=1"];
  const fetch = (name: string) => git(["fetch", "--progress", "--no-tags", ...shallow, "origin", name], options);
  let result = await fetch(commit);
  for (const name of [`refs/tags/${version}`, `refs/heads/${version}`]) {
    if (result.exitCode === 0 || !/not our ref|unadvertised object|couldn't find remote ref/i.test(result.stderr))
      break;
    result = await fetch(name);
  }
  if (result.exitCode !== 0 && !/not our ref|couldn't find remote ref/i.test(result.stderr)) {
    throw explainGit(result.stderr, repository);
  }
  if ((await git(["cat-file", "-e", `${commit}^{commit}`], options)).exitCode === 0) return;
  throw new WaybillError(`the repository no longer has the commit ${commit} (${version})`, {
    where: repository,
    mend: "was it rewritten? `npx waybill lock` pins what it has now",
  });
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isFile() ?? false;

/** Without git's own files, and with modes that don't depend on the umask: they reach the image. */
export async function normalise(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // A repository can't hold a file of that name: it is the clone's, or a submodule's.
    if (entry.name === ".git") await rm(path, { recursive: true, force: true });
    else if (entry.isDirectory()) await normalise(path);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
