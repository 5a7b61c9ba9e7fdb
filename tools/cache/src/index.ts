// The remote cache: results of Nx tasks, and the images they name, in any OCI registry. Knows Nx's protocol for caches and nothing
// else of Nx.

export { type Listing, listCache } from "./listing.ts";
export { type PrunePlan, carryOutPrune, planPrune } from "./prune.ts";
export { Remote } from "./remote.ts";
export { CacheRun } from "./run.ts";
export { type CacheOptions, type CacheSettings, cacheSettings, locationOf } from "./settings.ts";
export { newKeyPair } from "./signature.ts";
export { type CacheStats, statsOf } from "./stats.ts";
export { isOff, noteTask } from "./tasks.ts";
export { accessOf, untrustedOf } from "./trust.ts";
