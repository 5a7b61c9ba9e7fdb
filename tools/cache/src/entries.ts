// Entries in a registry: one tag for each task's hash.

import type { KeyObject } from "node:crypto";
import { Readable } from "node:stream";
import { digestOf } from "@waybill/oci/digest";
import { WaybillError } from "@waybill/oci/error";
import { MEDIA_TYPE } from "@waybill/oci/mediatype";
import type { ImageRecord } from "@waybill/oci/record";
import type { RegistryClient } from "@waybill/oci/registry";
import { EMPTY, type Entry, type EntryFacts, assertGenuine, readEntry, writeEntry } from "./entry.ts";
import { MAX_TARBALL_BYTES, readTarball } from "./tarball.ts";
import type { Place } from "./trust.ts";

export interface FoundEntry {
  tarball: Buffer;
  /** Of a docker-build. */
  record: ImageRecord | undefined;
}

export const entryTag = ({ prefix }: Place, hash: string): string => `${prefix}${hash}`;

/**
 * The entry of a task, all of it checked; `undefined` where there is none.
 * @param keys of which one must have signed it, where there are any
 * @throws {WaybillError} what lies there is no entry to trust
 */
export async function getEntry(
  client: RegistryClient,
  place: Place,
  hash: string,
  keys: readonly KeyObject[],
): Promise<FoundEntry | undefined> {
  const tag = entryTag(place, hash);
  const manifest = await client.getManifest(place.repository, tag);
  if (manifest === undefined) return undefined;
  const where = `${client.registry}/${place.repository}:${tag}`;
  try {
    const entry = readEntry(manifest.bytes, where);
    assertGenuine(entry, hash, keys);
    const tarball = await entryBytes(client, place.repository, entry);
    return { tarball, record: (await readTarball(tarball)).record };
  } catch (cause) {
    if (!(cause instanceof WaybillError) || cause.where !== undefined) throw cause;
    throw new WaybillError(cause.what, { where, cause });
  }
}

/** The tarball, from the manifest or the registry. @throws {WaybillError} it isn't what the manifest says */
export async function entryBytes(client: RegistryClient, repository: string, entry: Entry): Promise<Buffer> {
  const { digest, size } = entry.tarball;
  if (size > MAX_TARBALL_BYTES) throw new WaybillError(`entry of ${size} bytes`);
  const tarball = entry.embedded ?? Buffer.concat(await client.blobs.get(repository, digest, size).toArray());
  const actual = digestOf(tarball);
  if (actual !== digest) throw new WaybillError(`expected ${digest} but the entry has ${actual}`);
  return tarball;
}

/**
 * Stores an entry.
 * @param replace takes the place of an entry that can't be used; else who wrote first has written
 * @returns false where there was one
 */
export async function putEntry(
  client: RegistryClient,
  place: Place,
  facts: EntryFacts,
  tarball: Buffer,
  { key, replace }: { key: KeyObject | undefined; replace: boolean },
): Promise<boolean> {
  const tag = entryTag(place, facts.hash);
  if (!replace && (await client.headManifest(place.repository, tag)) !== undefined) return false;
  for (const bytes of [EMPTY, tarball]) {
    const source = { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
    await client.blobs.push(place.repository, source);
  }
  const manifest = Buffer.from(writeEntry(facts, tarball, key));
  await client.putManifest(place.repository, tag, MEDIA_TYPE.manifest, manifest);
  return true;
}
