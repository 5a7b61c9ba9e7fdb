// Bundles for tests, and their way into a registry and out of it.

import { join } from "node:path";
import { type BlobStore, type Descriptor, type Digest, parseReference } from "@waybill/oci";
import { RegistryClient, anonymous, carryOut, planPush } from "@waybill/oci/registry";
import {
  type Bundle,
  type ImageSource,
  type OnConflict,
  assertPossible,
  assertSound,
  findDamage,
  fromStore,
  openBundle,
  planArchive,
  planRestore,
  readImages,
  restore,
  toRegistry,
  writeBundle,
} from "@waybill/bundle";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "./images.ts";

/** Asked once: a test need not wait for a registry that refuses. */
export const clientOf = (host: string): RegistryClient => new RegistryClient(host, { credentials: anonymous });

/** A bundle of images in a store. @param images by reference @returns its file, or its folder */
export async function archive(
  store: BlobStore,
  images: Record<string, Descriptor>,
  { name = "bundle.tar", platforms }: { name?: string; platforms?: readonly string[] } = {},
): Promise<string> {
  const sources = Object.entries(images).map(([text, { digest }]) => sourceOf(store, text, digest));
  const out = join(await temporaryFolder(), name);
  await writeBundle(out, await planArchive(sources.map((source) => ({ source, platforms }))));
  return out;
}

export const sourceOf = (store: BlobStore, reference: string, digest: Digest): ImageSource =>
  fromStore(store, digest, parseReference(reference));

/** Opens and proves it. @returns the damage that was found */
export async function verify(path: string): Promise<string[]> {
  const bundle = await open(path);
  await readImages(bundle);
  return await findDamage(bundle);
}

export async function open(path: string): Promise<Bundle> {
  const bundle = await openBundle(path);
  onTestFinished(() => bundle.close());
  return bundle;
}

/** As the command does, without its words. @returns what was done to each tag, and how many blobs were sent */
export async function restoreTo(
  host: string,
  path: string,
  options: { onConflict?: OnConflict; trim?: boolean; prefix?: string; baseline?: string } = {},
): Promise<{ actions: string[]; sent: number }> {
  const bundle = await open(path);
  const baseline = options.baseline === undefined ? undefined : await open(options.baseline);
  const destination = toRegistry(clientOf(host), options.prefix ?? "m");
  const { onConflict = "error", trim } = options;
  const images = await readImages(bundle);
  await assertSound(bundle);
  const plan = await planRestore(bundle, images, destination, { onConflict, trim, baseline });
  assertPossible(plan, bundle);
  let sent = 0;
  await restore(bundle, plan, destination, {
    baseline,
    onBlob: (_, outcome) => (sent += outcome === "uploaded" ? 1 : 0),
  });
  return { actions: plan.images.map(({ action }) => action), sent };
}

/** Pushes an image from a store, under a tag. */
export async function push(
  host: string,
  store: BlobStore,
  { digest }: Descriptor,
  repository: string,
  tag: string,
): Promise<void> {
  const client = clientOf(host);
  await carryOut(client, store, await planPush(client, store, digest, repository, [tag]));
}
