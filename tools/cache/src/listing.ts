// All that lies in one of the cache's repositories: entries, images, and what others have put there.

import type { Descriptor, Digest, Document } from "@waybill/oci";
import { parseDocument } from "@waybill/oci/document";
import { WaybillError } from "@waybill/oci/error";
import { mapLimit } from "@waybill/oci/parallel";
import { type FetchedManifest, type RegistryClient, closureOf } from "@waybill/oci/registry";
import { entryBytes } from "./entries.ts";
import { ARTIFACT_TYPE, type EntryFacts, readEntry } from "./entry.ts";
import { KEEP_TAG, manifestsOf } from "./images.ts";
import { readTarball } from "./tarball.ts";

const PARALLEL = 8;

export interface ListedEntry {
  tag: string;
  digest: Digest;
  facts: EntryFacts;
  /** Of what it holds, in bytes. */
  size: number;
  /** The manifests of the image that its record names; none for other tasks. */
  needs: readonly Digest[];
}

export interface Listing {
  repository: string;
  entries: ListedEntry[];
  /** Manifests that the cache keeps by a tag of its own. */
  images: { tag: string; digest: Digest; isIndex: boolean }[];
  /** Manifests that somebody else's tag needs. */
  foreign: Set<Digest>;
  /** Sizes of the images' blobs, in bytes. */
  blobs: Map<Digest, number>;
}

/** @throws {RegistryError} the registry can't be asked */
export async function listCache(client: RegistryClient, repository: string): Promise<Listing> {
  const listing: Listing = { repository, entries: [], images: [], foreign: new Set(), blobs: new Map() };
  await mapLimit(await client.listTags(repository), PARALLEL, async (tag) => {
    const manifest = await client.getManifest(repository, tag);
    // Deleted since the list was made.
    if (manifest !== undefined) await sort(client, listing, tag, manifest);
  });
  return listing;
}

async function sort(client: RegistryClient, listing: Listing, tag: string, manifest: FetchedManifest): Promise<void> {
  const { bytes, digest } = manifest;
  if (isEntry(bytes)) {
    listing.entries.push(await listedEntry(client, listing.repository, tag, manifest));
  } else if (KEEP_TAG.test(tag)) {
    const document = parseDocument(bytes, tag);
    listing.images.push({ tag, digest, isIndex: document.kind === "index" });
    for (const blob of blobsOf(document)) listing.blobs.set(blob.digest, blob.size);
  } else {
    for (const each of await closure(client, listing.repository, manifest)) listing.foreign.add(each);
  }
}

function isEntry(bytes: Buffer): boolean {
  return bytes.includes(`"artifactType":"${ARTIFACT_TYPE}"`);
}

async function listedEntry(
  client: RegistryClient,
  repository: string,
  tag: string,
  { bytes, digest }: FetchedManifest,
): Promise<ListedEntry> {
  const entry = readEntry(bytes, tag);
  const isOfImage = entry.facts.image !== undefined;
  const record = isOfImage ? await recordOf(client, repository, entry) : undefined;
  const needs = record === undefined ? [] : manifestsOf(record);
  return { tag, digest, facts: entry.facts, size: entry.tarball.size, needs };
}

/** None where the entry is spoilt: then it needs nothing. */
async function recordOf(client: RegistryClient, repository: string, entry: ReturnType<typeof readEntry>) {
  try {
    return (await readTarball(await entryBytes(client, repository, entry))).record;
  } catch (error) {
    if (error instanceof WaybillError) return undefined;
    throw error;
  }
}

function blobsOf(document: Document): Descriptor[] {
  return document.kind === "index" ? [] : [document.manifest.config, ...document.manifest.layers];
}

/** What the tag's manifest leads to, as far as it is an image. */
async function closure(client: RegistryClient, repository: string, manifest: FetchedManifest): Promise<Digest[]> {
  const read = async ({ digest }: Descriptor): Promise<Uint8Array> => {
    if (digest === manifest.digest) return manifest.bytes;
    return (await client.getManifest(repository, digest))?.bytes ?? Buffer.from('{"manifests":[]}');
  };
  try {
    return (await closureOf(manifest, read)).manifests.map(({ digest }) => digest);
  } catch (error) {
    if (error instanceof WaybillError) return [manifest.digest];
    throw error;
  }
}
