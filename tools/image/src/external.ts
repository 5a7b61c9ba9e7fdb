// An image from elsewhere that a Dockerfile builds on, pinned by digest in image.lock.json: its bytes are brought into the store, one
// platform of it, and from then on it is like an image of this repo. Engines never ask a registry.

import {
  type BlobStore,
  type Digest,
  WaybillError,
  manifestOfPlatform,
  parseDocument,
  parseReference,
} from "@waybill/oci";
import { RegistryClient, pull } from "@waybill/oci/registry";

/**
 * @param reference as the Dockerfile has it
 * @param pinned of the image's index, or of its one manifest
 * @returns the digest of the platform's manifest, whose blobs are in the store
 * @throws {WaybillError} it can't be had, or not for the platform
 */
export async function fetchExternal(
  store: BlobStore,
  reference: string,
  pinned: Digest,
  platform: string,
): Promise<Digest> {
  const { registry, repository } = parseReference(reference);
  const client = new RegistryClient(registry);
  if (!(await store.has(pinned))) {
    const found = await client.getManifest(repository, pinned);
    if (found === undefined) throw gone(reference, pinned);
    await store.put(found.bytes);
  }
  const manifest = await platformOf(store, reference, pinned, platform);
  if (!(await isWhole(store, manifest))) await pull(client, repository, manifest, store);
  return manifest;
}

async function platformOf(store: BlobStore, reference: string, pinned: Digest, platform: string): Promise<Digest> {
  const document = parseDocument(await store.read(pinned), reference);
  if (document.kind === "manifest") return pinned;
  const found = manifestOfPlatform(document.index, platform);
  if (found !== undefined) return found.digest;
  throw new WaybillError(`the image has nothing for ${platform}`, {
    where: reference,
    mend: "build on another, or for fewer platforms",
  });
}

/** A manifest is stored after its blobs, but something may have been deleted since. */
async function isWhole(store: BlobStore, digest: Digest): Promise<boolean> {
  if (!(await store.has(digest))) return false;
  const document = parseDocument(await store.read(digest), digest);
  if (document.kind === "index") return false;
  const { config, layers } = document.manifest;
  const found = await Promise.all([config, ...layers].map((blob) => store.has(blob.digest, blob.size)));
  return found.every(Boolean);
}

const gone = (reference: string, pinned: Digest): WaybillError =>
  new WaybillError(`the registry no longer has ${pinned}`, {
    where: reference,
    mend: "pin a newer one with `npx waybill lock`",
  });
