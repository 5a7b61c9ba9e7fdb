// The bytes of images in the registry, beside the entries that name them and in the same repository: registries share layers within
// one, and many want each repository made by hand.

import { Readable } from "node:stream";
import type { BlobStore, Descriptor, Digest, ImageRecord } from "@waybill/oci";
import { mapLimit } from "@waybill/oci/parallel";
import { type PushPlan, type RegistryClient, carryOut, planPush, pull } from "@waybill/oci/registry";
import { PATIENCE_MS, type Progress } from "./patience.ts";

/** How fast a registry's disk is at least, in bytes a millisecond: it answers an upload after it has written all of it. */
const DISK_SPEED = 10_000;
const PARALLEL = 4;

/** The images that a record names: itself and its variants. */
export const imagesOf = (record: ImageRecord): Digest[] => [
  record.digest,
  ...Object.values(record.variants).map(({ digest }) => digest),
];

/** The manifests that a record names: of each image its index, and what that lists. */
export const manifestsOf = (record: ImageRecord): Digest[] => {
  const platforms = [record, ...Object.values(record.variants)].flatMap((image) => image.platforms);
  return [...new Set([...imagesOf(record), ...platforms.map(({ digest }) => digest)])];
};

/** A tag for a manifest, so that a clean-up of untagged ones spares it. Not "sha256-…": that is where referrers are listed. */
export const keepTag = (digest: Digest): string => `keep-${digest.replace(":", "-")}`;

export const KEEP_TAG = /^keep-(sha256|sha512)-[0-9a-f]+$/;

/** Whether all manifests of the image are in the repository. */
export async function hasImage(client: RegistryClient, repository: string, record: ImageRecord): Promise<boolean> {
  const found = await mapLimit(manifestsOf(record), PARALLEL, (digest) => client.headManifest(repository, digest));
  return found.every((each) => each !== undefined);
}

/** Brings the image and its variants into the store. @throws {WaybillError} the registry hasn't all of it */
export async function fetchImage(
  client: RegistryClient,
  repository: string,
  record: ImageRecord,
  store: BlobStore,
  progress: Progress,
): Promise<void> {
  for (const digest of imagesOf(record)) await pull(client, repository, digest, store, { onBytes: () => progress() });
}

interface PushOptions {
  /** A repository of the same registry that may have some of the layers. */
  mountFrom?: string | undefined;
  progress: Progress;
}

/** Sends the image and its variants, and tags each manifest. @throws {WaybillError} a blob isn't in the store */
export async function pushImage(
  client: RegistryClient,
  repository: string,
  record: ImageRecord,
  store: BlobStore,
  { mountFrom, progress }: PushOptions,
): Promise<void> {
  const open = (blob: Descriptor): Readable => Readable.from(watched(store.readStream(blob.digest), blob, progress));
  for (const image of imagesOf(record)) {
    const plan = await planPush(client, store, image, repository, [keepTag(image)]);
    await carryOut(client, store, plan, { mountFrom, open });
    await tagPlatforms(client, store, plan);
  }
}

async function* watched(chunks: AsyncIterable<Buffer>, { size }: Descriptor, progress: Progress) {
  for await (const chunk of chunks) {
    progress();
    yield chunk;
  }
  progress(PATIENCE_MS + size / DISK_SPEED);
}

/** An index keeps its platforms from the registry's garbage collection, not from clean-ups that go by tags. */
async function tagPlatforms(client: RegistryClient, store: BlobStore, plan: PushPlan): Promise<void> {
  const platforms = plan.manifests.filter(({ digest }) => digest !== plan.digest);
  await mapLimit(platforms, PARALLEL, async ({ digest, mediaType }) => {
    const tag = keepTag(digest);
    if ((await client.headManifest(plan.repository, tag))?.digest === digest) return;
    await client.putManifest(plan.repository, tag, mediaType, await store.read(digest));
  });
}
