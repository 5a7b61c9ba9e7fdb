// An image from elsewhere that a Dockerfile builds on, pinned by digest in image.lock.json: its bytes are brought into the store, one
// platform of it, and from then on it is like an image of this repo. Engines never ask a registry. A mirror on this machine is asked
// first; what is pinned by digest can't be another image, whoever has it.

import {
  type BlobStore,
  type Digest,
  type Reference,
  WaybillError,
  manifestOfPlatform,
  parseDocument,
  parseReference,
} from "@waybill/oci";
import { RegistryClient, pull } from "@waybill/oci/registry";

/** A registry that may have the image, and its name there. */
interface Source {
  client: RegistryClient;
  repository: string;
}

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
  const parsed = parseReference(reference);
  if (!(await store.has(pinned))) await fromAny(parsed, (source) => fetchManifest(source, pinned, store, reference));
  const manifest = await platformOf(store, reference, pinned, platform);
  if (!(await isWhole(store, manifest)))
    await fromAny(parsed, async ({ client, repository }) => void (await pull(client, repository, manifest, store)));
  return manifest;
}

/** From the mirror if one is there and can, else from the registry that the reference names. @throws {WaybillError} neither can */
async function fromAny(reference: Reference, fetch: (source: Source) => Promise<void>): Promise<void> {
  const mirror = await mirrorOf(reference);
  const done = mirror !== undefined && (await fetch(mirror).then(() => true, unlessBug));
  if (!done) await fetch({ client: new RegistryClient(reference.registry), repository: reference.repository });
}

/** A mirror that fails is none: what the registry itself says counts. */
function unlessBug(error: unknown): false {
  if (error instanceof WaybillError) return false;
  throw error;
}

async function mirrorOf(reference: Reference): Promise<Source | undefined> {
  // Imported when something is fetched: most builds fetch nothing.
  const { findMirror, locate, mirrorFolder } = await import("@waybill/mirror/backend");
  const mirror = await findMirror(mirrorFolder()).catch(unlessBug);
  const found = mirror && locate(mirror, reference);
  if (!found || found.registry === reference.registry) return undefined;
  const retry = { attempts: 1, pauseMs: 0, maxPauseMs: 0 };
  return {
    client: new RegistryClient(found.registry, { plainHttp: found.plainHttp, retry }),
    repository: found.repository,
  };
}

async function fetchManifest(source: Source, pinned: Digest, store: BlobStore, reference: string): Promise<void> {
  const found = await source.client.getManifest(source.repository, pinned);
  if (found === undefined) throw gone(reference, pinned);
  await store.put(found.bytes);
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
