// Sends an image to a registry by digest, as planned. What was tested is what ships: nothing is rebuilt or rewritten on the way.

import type { Readable } from "node:stream";
import type { BlobStore } from "../blobstore.ts";
import type { Descriptor } from "../descriptor.ts";
import { WaybillError } from "../error.ts";
import { mapLimit } from "../parallel.ts";
import type { RegistryClient } from "./client.ts";
import { planTag } from "./pushplan.ts";
import type { PushPlan, TagPlan } from "./pushplan.ts";

/** Blobs under way at a time. */
const PARALLEL = 4;

export interface PushProgress {
  kind: "blob" | "manifest" | "tag";
  /** A digest, or a tag. */
  name: string;
  action: "exists" | "mounted" | "uploaded";
  /** In bytes. */
  size: number;
}

export interface CarryOutOptions {
  onProgress?: ((progress: PushProgress) => void) | undefined;
  /** A repository of the same registry to mount layers from, such as a base image's. */
  mountFrom?: string | undefined;
  /** Reads a blob, for who wants to watch the bytes go; by default from the store. */
  open?: ((blob: Descriptor) => Readable) | undefined;
}

/**
 * Carries a plan out: blobs in parallel, then manifests with the index last, then tags. Broken off, it leaves nothing that names an
 * incomplete image, and can be run again.
 * @throws {WaybillError} the plan refuses a tag; nothing was sent
 */
export async function carryOut(
  client: RegistryClient,
  store: BlobStore,
  plan: PushPlan,
  { onProgress = () => {}, mountFrom, open = ({ digest }) => store.readStream(digest) }: CarryOutOptions = {},
): Promise<void> {
  for (const tag of plan.tags) assertAllowed(plan, tag);
  await mapLimit(plan.blobs, PARALLEL, async (blob) => {
    const { digest, size, action } = blob;
    const source = { digest, size, open: () => open(blob) };
    const outcome = action === "keep" ? "exists" : await client.blobs.upload(plan.repository, source, mountFrom);
    onProgress({ kind: "blob", name: digest, action: outcome, size });
  });
  for (const { digest, mediaType, size, action } of plan.manifests) {
    if (action === "send") await client.putManifest(plan.repository, digest, mediaType, await store.read(digest));
    onProgress({ kind: "manifest", name: digest, action: action === "keep" ? "exists" : "uploaded", size });
  }
  for (const { tag } of plan.tags) await placeTag(client, store, plan, tag, onProgress);
}

/** Asks again right before: another push may have made the version meanwhile. The protocol has no compare-and-swap. */
async function placeTag(
  client: RegistryClient,
  store: BlobStore,
  plan: PushPlan,
  tag: string,
  onProgress: (progress: PushProgress) => void,
): Promise<void> {
  const now = await planTag(client, plan.repository, tag, plan.digest);
  assertAllowed(plan, now);
  const { mediaType, size } = plan.manifests.at(-1) as PushPlan["manifests"][number];
  if (now.action !== "keep") await client.putManifest(plan.repository, tag, mediaType, await store.read(plan.digest));
  onProgress({ kind: "tag", name: tag, action: now.action === "keep" ? "exists" : "uploaded", size });
}

function assertAllowed({ registry, repository, digest }: PushPlan, { tag, current, action }: TagPlan): void {
  if (action !== "refuse") return;
  throw new WaybillError(`version tag ${tag} names ${current} already and is not moved to ${digest}`, {
    where: `${registry}/${repository}:${tag}`,
    mend: "release a new version",
  });
}
