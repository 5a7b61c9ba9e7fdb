// The remote cache: results of Nx tasks, and the images they name, in any OCI registry. Knows Nx's protocol for caches and nothing
// else of Nx.

export { Remote } from "./remote.ts";
export { CacheRun } from "./run.ts";
export { type CacheOptions, type CacheSettings, cacheSettings, locationOf } from "./settings.ts";
export { isOff, noteTask } from "./tasks.ts";
export { accessOf } from "./trust.ts";
