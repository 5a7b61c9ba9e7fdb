// Before each run: the remote cache, where one is set up.

import type { PreTasksExecution } from "@nx/devkit";
import type { CacheOptions } from "@waybill/cache";

/** Loads nothing for who has no remote cache: the start of each run counts. */
export const preTasksExecution: PreTasksExecution<CacheOptions> = async (options, context) => {
  if (!mayHaveRemoteCache(options)) return;
  const { openRemoteCache } = await import("./remote-cache.ts");
  await openRemoteCache(options ?? {}, context);
};

export const mayHaveRemoteCache = (options: CacheOptions | undefined): boolean =>
  (process.env["WAYBILL_REMOTE_CACHE"] ?? options?.remoteCache) !== undefined;
