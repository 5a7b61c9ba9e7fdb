// Reads blobs again, slowly, to find what decayed on the disk before a client does. What is damaged goes to quarantine, and comes back
// from its upstream where it has one.

import { stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cared } from "../registry.ts";
import { blobsOf } from "./collect.ts";

export interface Scrubbed {
  blobs: number;
  /** In bytes. */
  read: number;
  damaged: string[];
  /** Of these, those that no upstream had. */
  lost: string[];
  seconds: number;
}

/** @param notSince reads only what was last verified before (milliseconds since the epoch) */
export async function scrub(registry: Cared, notSince: number, signal: AbortSignal): Promise<Scrubbed> {
  const { store, config, metrics, log } = registry;
  const started = performance.now();
  const result: Scrubbed = { blobs: 0, read: 0, damaged: [], lost: [], seconds: 0 };
  const pace = pacer(config.scrub.bytesPerSecond, signal);
  for await (const { digest, path } of blobsOf(store.folder)) {
    signal.throwIfAborted();
    const stats = await stat(path).catch(() => undefined);
    if (stats === undefined || ((await store.vault.stamps.verifiedAt(digest, stats)) ?? 0) > notSince) continue;
    const sound = await store.vault.verify(digest, pace);
    if (sound === undefined) continue;
    result.blobs++;
    result.read += stats.size;
    metrics.add("waybill_registry_scrubbed_bytes_total", {}, stats.size);
    if (sound) continue;
    result.damaged.push(digest);
    if (!(await registry.heal(digest).catch(() => false))) result.lost.push(digest);
  }
  result.seconds = Math.round(performance.now() - started) / 1000;
  const { damaged, lost, blobs, read, seconds } = result;
  log(lost.length > 0 ? "error" : "info", "scrubbed", {
    blobs,
    read,
    damaged: damaged.length,
    lost: lost.length,
    seconds,
  });
  return result;
}

/** Waits as long as it takes to stay below a rate, which is in bytes a second. */
function pacer(rate: number, signal: AbortSignal): (bytes: number) => Promise<void> {
  let due = performance.now();
  return async (bytes) => {
    due = Math.max(due, performance.now() - 1000) + (bytes / rate) * 1000;
    const wait = due - performance.now();
    if (wait > 5) await sleep(wait, undefined, { signal });
  };
}
