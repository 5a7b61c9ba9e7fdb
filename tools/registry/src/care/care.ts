// What runs by itself beside the serving: collection and scrub, each at its time, never two of a kind at once.

import { messageOf } from "@waybill/oci/error";
import type { Cared } from "../registry.ts";
import { Once } from "../upstream/once.ts";
import { collect } from "./collect.ts";
import type { Collected } from "./collect.ts";
import { scrub } from "./scrub.ts";
import type { Scrubbed } from "./scrub.ts";

/** How often it is looked whether a blob's time for the scrub has come. */
const SCRUB_LOOKS = 24;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface Care {
  /** The last results; undefined until the first. */
  last: { collected?: Collected & { at: string }; scrubbed?: Scrubbed & { at: string } };
  collect(dryRun: boolean): Promise<Collected>;
  /** Reads every blob, whenever it was read last. */
  scrub(): Promise<Scrubbed>;
  stop(): void;
}

export function startCare(registry: Cared): Care {
  const { config, log } = registry;
  const stopping = new AbortController();
  const running = new Once<unknown>();
  const last: Care["last"] = {};
  const collectNow = async (dryRun: boolean): Promise<Collected> => {
    const collected = (await running.run(`collect ${dryRun}`, () => collect(registry, dryRun))) as Collected;
    if (!dryRun) last.collected = { ...collected, at: new Date().toISOString() };
    return collected;
  };
  const scrubNow = async (notSince: number): Promise<Scrubbed> => {
    const scrubbed = (await running.run("scrub", () => scrub(registry, notSince, stopping.signal))) as Scrubbed;
    last.scrubbed = { ...scrubbed, at: new Date().toISOString() };
    return scrubbed;
  };
  const regularly = (everyMs: number, event: string, action: () => Promise<unknown>): NodeJS.Timeout =>
    setInterval(
      () => {
        action().catch(
          (error: unknown) => stopping.signal.aborted || log("error", event, { reason: messageOf(error) }),
        );
      },
      Math.min(everyMs, LONGEST_TIMER_MS),
    );
  const timers = [
    regularly(config.gc.every, "collection failed", () => collectNow(false)),
    regularly(config.scrub.every / SCRUB_LOOKS, "scrub failed", () => scrubNow(Date.now() - config.scrub.every)),
  ];
  return {
    last,
    collect: collectNow,
    scrub: () => scrubNow(Number.POSITIVE_INFINITY),
    stop() {
      for (const timer of timers) clearInterval(timer);
      stopping.abort(new Error("the registry stops"));
    },
  };
}
