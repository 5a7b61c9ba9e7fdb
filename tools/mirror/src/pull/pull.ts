// Brings many images into the mirror. One that can't be had doesn't keep the rest from coming.

import type { Digest } from "@waybill/oci";
import { WaybillError, formatReference, mapLimit } from "@waybill/oci";
import type { Holdings } from "@waybill/registry";
import type { Backend } from "../backend/backend.ts";
import type { Wanted } from "../lists/list.ts";
import type { Platforms } from "./choose.ts";
import { bringImage } from "./image.ts";
import { Lanes } from "./lanes.ts";

export type Status =
  /** Something of it came. */
  | "pulled"
  /** All of it was here. */
  | "held"
  /** The tag names another image than it did. */
  | "moved"
  | "failed";

export interface Pulled {
  /** With its registry: "docker.io/library/debian:13". */
  image: string;
  /** Who wants it: "inference:7". */
  where: string | undefined;
  status: Status;
  digest: Digest | undefined;
  /** With "moved": what the tag named before. */
  before: Digest | undefined;
  /** The upstream can't be asked; the image is what it last was. */
  stale: boolean;
  /** Bytes that came. */
  moved: number;
  /** With "failed": why. */
  failure: string | undefined;
}

export interface PullOptions {
  /** Where an image doesn't say itself what it is wanted for. */
  platforms: Platforms;
  /** Images, and blobs, under way at a time. */
  concurrency: number;
  signal?: AbortSignal | undefined;
  /** An image needs so many blobs, so many bytes. */
  onPlan?: (image: string, plan: { blobs: number; size: number }) => void;
  onBytes?: (count: number) => void;
  onImage?: (pulled: Pulled) => void;
}

/**
 * Pulls images through a mirror.
 * @param holdings what the mirror holds, where that can be read: what is here is not moved again
 * @returns an entry for each, in their order
 * @throws the signal's reason; what fails of single images is in their entries
 */
export async function pullAll(
  backend: Backend,
  holdings: Holdings | undefined,
  wanted: readonly Wanted[],
  { platforms, concurrency, signal, onPlan, onBytes = () => {}, onImage = () => {} }: PullOptions,
): Promise<Pulled[]> {
  const target = {
    backend,
    holdings,
    lanes: new Lanes(concurrency),
    signal,
    onBytes,
    onPlan: (reference: Wanted["reference"], plan: { blobs: number; size: number }) =>
      onPlan?.(formatReference(reference), plan),
  };
  return await mapLimit(wanted, concurrency, async ({ reference, platforms: own, where }) => {
    const image = formatReference(reference);
    const nothing = { image, where, digest: undefined, before: undefined, stale: false, moved: 0, failure: undefined };
    // All platforms are all of them, also of what a list wants some of.
    const chosen = platforms === "all" ? platforms : (own ?? platforms);
    const pulled = await bringImage(target, reference, chosen).then(
      ({ held, before, ...brought }): Pulled => {
        const status = before === undefined ? (held ? "held" : "pulled") : "moved";
        return { ...nothing, ...brought, before, status };
      },
      (error: unknown): Pulled => {
        signal?.throwIfAborted();
        if (!(error instanceof WaybillError)) throw error;
        return { ...nothing, status: "failed", failure: error.message };
      },
    );
    onImage(pulled);
    return pulled;
  });
}
