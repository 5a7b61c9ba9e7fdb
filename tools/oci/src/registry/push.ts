// Sends an image to a registry by digest, in two steps: a plan, which is data and can be shown, and its carrying out. What was
// tested is what ships: nothing is rebuilt or rewritten on the way.

import type { BlobStore } from "../blobstore.ts";
import type { Descriptor } from "../descriptor.ts";
import type { Digest } from "../digest.ts";
import { parseDocument } from "../document.ts";
import { WaybillError } from "../error.ts";
import { MEDIA_TYPE } from "../mediatype.ts";
import { mapLimit } from "../parallel.ts";
import { isTag } from "../reference.ts";
import type { RegistryClient } from "./client.ts";
import { closureOf, readerOf } from "./closure.ts";

/** Blobs under way at a time. */
const PARALLEL = 4;

export interface TagPlan {
  tag: string;
  /** What it names now. */
  current: Digest | undefined;
  /** "refuse": a version someone may have pinned names another image. */
  action: "create" | "keep" | "move" | "refuse";
}

export interface PushPlan {
  registry: string;
  repository: string;
  /** The image's index. */
  digest: Digest;
  blobs: (Descriptor & { action: "upload" | "keep" })[];
  /** In the order they must be sent: what a manifest points at comes before it. */
  manifests: (Descriptor & { action: "send" | "keep" })[];
  tags: TagPlan[];
}

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
}

/** Finds out what a push would do. Changes nothing. */
export async function planPush(
  client: RegistryClient,
  store: BlobStore,
  digest: Digest,
  repository: string,
  tags: readonly string[],
): Promise<PushPlan> {
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined)
    throw new WaybillError(`"${bad}" is not a tag`, { mend: "use letters, digits, _ . and -, 128 at most" });
  const { manifests, blobs } = await closureOf(await rootOf(store, digest), readerOf(store));
  await mapLimit(blobs, PARALLEL, (blob) => assertHere(store, blob));
  return {
    registry: client.registry,
    repository,
    digest,
    blobs: await mapLimit(blobs, PARALLEL, async (blob) => {
      const known = await client.blobs.has(repository, blob.digest);
      return { ...blob, action: known ? "keep" : "upload" };
    }),
    manifests: await mapLimit(manifests, PARALLEL, async (manifest) => {
      const known = await client.headManifest(repository, manifest.digest);
      return { ...manifest, action: known ? "keep" : "send" };
    }),
    tags: await mapLimit([...new Set(tags)], PARALLEL, (tag) => planTag(client, repository, tag, digest)),
  };
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
  { onProgress = () => {}, mountFrom }: CarryOutOptions = {},
): Promise<void> {
  for (const tag of plan.tags) assertAllowed(plan, tag);
  await mapLimit(plan.blobs, PARALLEL, async ({ digest, size, action }) => {
    const source = { digest, size, open: () => store.readStream(digest) };
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
  const { mediaType, size } = await rootOf(store, plan.digest);
  if (now.action !== "keep") await client.putManifest(plan.repository, tag, mediaType, await store.read(plan.digest));
  onProgress({ kind: "tag", name: tag, action: now.action === "keep" ? "exists" : "uploaded", size });
}

async function planTag(client: RegistryClient, repository: string, tag: string, digest: Digest): Promise<TagPlan> {
  const current = (await client.headManifest(repository, tag))?.digest;
  if (current === undefined) return { tag, current, action: "create" };
  if (current === digest) return { tag, current, action: "keep" };
  return { tag, current, action: isVersion(tag) ? "refuse" : "move" };
}

/** A tag that promises one image for ever: a full semantic version, with "v" or a suffix ("_" stands for semver's "+"). */
export function isVersion(tag: string): boolean {
  return /^v?\d+\.\d+\.\d+([-_.][\w.-]+)?$/.test(tag);
}

function assertAllowed({ registry, repository, digest }: PushPlan, { tag, current, action }: TagPlan): void {
  if (action !== "refuse") return;
  throw new WaybillError(`version tag ${tag} names ${current} already and is not moved to ${digest}`, {
    where: `${registry}/${repository}:${tag}`,
    mend: "release a new version",
  });
}

async function rootOf(store: BlobStore, digest: Digest): Promise<Descriptor> {
  const bytes = await store.read(digest);
  const document = parseDocument(bytes, digest);
  const mediaType = document.kind === "index" ? document.index.mediaType : document.manifest.mediaType;
  const fallback = document.kind === "index" ? MEDIA_TYPE.index : MEDIA_TYPE.manifest;
  return { mediaType: mediaType ?? fallback, digest, size: bytes.length };
}

async function assertHere(store: BlobStore, { digest, size }: Descriptor): Promise<void> {
  if (await store.has(digest, size)) return;
  throw new WaybillError(`${digest} is missing or cut short`, {
    where: store.path(digest),
    mend: "build the image again",
  });
}
