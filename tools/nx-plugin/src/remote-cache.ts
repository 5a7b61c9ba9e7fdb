// The remote cache of a run: there before the first task, gone after the last. Where none is set up this file is not loaded.

import type { PreTasksExecutionContext } from "@nx/devkit";
// Not the whole room: prune and its like are no part of a run.
import { CacheRun } from "@waybill/cache/run";
import { type CacheOptions, cacheSettings } from "@waybill/cache/settings";
import { store } from "@waybill/image/bytes";
import { messageOf } from "@waybill/oci/error";

/** Who waits longer than this for uploads is told. */
const WORTH_A_LINE_MS = 1_000;

/** By Nx's id of the run. Nx's daemon has several in one process, and mixes up what they put into the environment: so they share. */
const runs = new Map<string, Promise<CacheRun>>();
let shared: { starting: Promise<CacheRun>; started?: CacheRun } | undefined;

/** Starts the server and tells Nx of it. Nothing is asked of the registry yet. */
export async function openRemoteCache(options: CacheOptions, context: PreTasksExecutionContext): Promise<void> {
  try {
    const settings = cacheSettings(options);
    if (settings === undefined || isForeign(process.env)) return;
    const { workspaceRoot, nxJsonConfiguration } = context;
    // One that was given up stays so for those who have it, not for this one.
    if (shared?.started?.isOff) shared = undefined;
    const mainBranch = nxJsonConfiguration.defaultBase;
    shared ??= { starting: CacheRun.start({ settings, store: store(), workspaceRoot, mainBranch }) };
    const mine = shared;
    runs.set(context.id, mine.starting);
    mine.started = await mine.starting;
    for (const [name, value] of Object.entries(mine.started.environment)) process.env[name] = value;
  } catch (error) {
    shared = undefined;
    runs.delete(context.id);
    console.error(`waybill: no remote cache: ${messageOf(error)}`);
  }
}

/** Waits until all is stored. @returns the run's cache, which can be asked on; undefined where there is none */
export async function closeRemoteCache(id: string): Promise<CacheRun | undefined> {
  const run = await runs.get(id);
  if (run === undefined) return undefined;
  const slow = setTimeout(() => console.error("waybill: storing what was built in the remote cache"), WORTH_A_LINE_MS);
  await run.settled();
  clearTimeout(slow);
  const starting = runs.get(id);
  runs.delete(id);
  if ([...runs.values()].includes(starting as Promise<CacheRun>)) return run;
  if (shared?.starting === starting) shared = undefined;
  await run.stop();
  return run;
}

/** Somebody else's server, which they chose themselves. */
const isForeign = (env: NodeJS.ProcessEnv): boolean =>
  env["NX_SELF_HOSTED_REMOTE_CACHE_SERVER"] !== undefined && env["WAYBILL_CACHE_TASKS"] === undefined;
