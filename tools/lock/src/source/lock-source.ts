// Pins an upstream repository: which commit and tree its version is, and what its Dockerfile says, so that nothing has to be
// fetched to know what the image is built from.

import { join, relative } from "node:path";
import { WaybillError } from "@waybill/oci";
import { LOCK_FILE, readLock } from "../lock-file.ts";
import type { LockedSource } from "../schema.ts";
import type { SourceDeclaration } from "./declaration.ts";
import type { SourceOptions } from "./fetch-source.ts";
import { fetchSource } from "./fetch-source.ts";
import { type PreparedSource, prepareSource } from "./prepare.ts";
import { resolveVersion } from "./versions.ts";

/**
 * Finds the commit of the declared version and fetches it. Writes no lock.
 * @throws {WaybillError} the repository or the version can't be had; a tag moved since it was locked; a patch doesn't apply
 */
export async function resolveSource(declared: SourceDeclaration, options: SourceOptions): Promise<LockedSource> {
  const { repository, version } = declared;
  const { commit, kind } = await resolveVersion(repository, version, options.imageFolder, options.signal);
  const before = (await readLock(options.imageFolder)).source;
  if (kind === "tag") assertUnmoved(before, { repository, version, commit }, options);
  const fetched = await fetchSource({ repository, version, commit }, options);
  const { dockerfile } = await prepareSource(fetched, declared, options);
  return { repository, version, commit, tree: fetched.tree, dockerfile };
}

/**
 * Upstream's files for a build, as locked: from the cache, or fetched.
 * @throws {WaybillError} as `resolveSource`; or upstream's Dockerfile, patched, is another than the locked one
 */
export async function buildableSource(
  locked: LockedSource,
  declared: SourceDeclaration,
  options: SourceOptions,
): Promise<PreparedSource> {
  const { repository, version } = locked;
  const fetched = await fetchSource(locked, {
    ...options,
    // Only here is the network asked at all; a cached tree answers for itself.
    beforeFetch: () => assertTag(locked, options),
  });
  const prepared = await prepareSource(fetched, { ...declared, repository, version }, options);
  if (prepared.dockerfile.join("\n") === locked.dockerfile.join("\n")) return prepared;
  throw new WaybillError("the lock has another Dockerfile than the patched upstream", {
    where: relative(process.cwd(), join(options.imageFolder, LOCK_FILE)),
    mend: "`npx waybill lock` takes it in",
  });
}

/** A tag that is gone does no harm as long as the commit is there: only one that moved is refused. */
async function assertTag(locked: LockedSource, options: SourceOptions): Promise<void> {
  const { repository, version, imageFolder } = { ...locked, ...options };
  const now = await resolveVersion(repository, version, imageFolder, options.signal).catch(() => undefined);
  if (now?.kind === "tag") assertUnmoved(locked, { repository, version, commit: now.commit }, options);
}

function assertUnmoved(
  before: LockedSource | undefined,
  now: Pick<LockedSource, "repository" | "version" | "commit">,
  { imageFolder }: SourceOptions,
): void {
  if (before?.repository !== now.repository || before.version !== now.version || before.commit === now.commit) return;
  throw new WaybillError(`the tag ${now.version} of ${now.repository} moved from ${before.commit} to ${now.commit}`, {
    where: relative(process.cwd(), join(imageFolder, LOCK_FILE)),
    mend: "ask upstream why; to take the new commit delete `source` from the lock and run `npx waybill lock`",
  });
}
