// What an image takes from upstream: declared in project.json, pinned in image.lock.json, fetched for a build, refreshed on
// request.

export { checkLock } from "./check.ts";
export type { CheckOptions, LockFinding } from "./check.ts";
export { changesBetween, formatChanges, packageBytes } from "./changes.ts";
export type { Change } from "./changes.ts";
export { defaultCacheDir } from "./cache.ts";
export { debianArchitecture, debianSources, packageFileName } from "./debian/archive.ts";
export type { DebianArchitecture, DebianSources } from "./debian/archive.ts";
export { movedLock, newerPackages } from "./debian/newer.ts";
export type { NewerOptions, NewerPackage } from "./debian/newer.ts";
export { filesDeclaration, packagesDeclaration, readDeclaration } from "./declaration.ts";
export type { Declaration, PackageSetDeclaration } from "./declaration.ts";
export { fetchFiles } from "./fetch-files.ts";
export { fetchPackages } from "./fetch-packages.ts";
export type { Drift, FetchOptions, FetchedPackages, PackageFetchOptions } from "./fetch-packages.ts";
export { LOCK_FILE, emptyLock, formatLock, readLock, writeLock } from "./lock-file.ts";
export { refreshLock } from "./refresh.ts";
export type { RefreshOptions, Refreshed } from "./refresh.ts";
export { imageLock, lockJsonSchema } from "./schema.ts";
export type { DebianPackage, ImageLock, LockedFile, LockedSource, PackageSet } from "./schema.ts";
export { unpackPackages } from "./unpack.ts";
export { parseDocument, readDocument } from "./document.ts";
export { NPM_FOLDER, checkNpmLock, npmFiles, writeNpmLock } from "./npm/container-lock.ts";
export type { NpmFiles } from "./npm/container-lock.ts";
export { parseSetContext } from "./set-context.ts";
export type { SetContext } from "./set-context.ts";
export { sourceDeclaration } from "./source/declaration.ts";
export type { SourceDeclaration } from "./source/declaration.ts";
export type { SourceOptions } from "./source/fetch-source.ts";
export { buildableSource, resolveSource } from "./source/lock-source.ts";
export { newestVersion } from "./source/versions.ts";
export { goModule, moveModule } from "./go/modules.ts";
export type { GoModule, MoveOptions, MovedModule } from "./go/modules.ts";
export { upstreamVersion } from "./upstream.ts";
