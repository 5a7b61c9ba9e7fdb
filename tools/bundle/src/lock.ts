// The lock of a bundle, waybill.lock.json: which images it holds, and every blob they need. It follows from the bundle's manifests, so
// who reads a bundle makes it again and compares: a lock can't lie.

import { type Descriptor, type Digest, WaybillError, check, compareText, digestSchema, parseJson } from "@waybill/oci";
import { z } from "zod";
import { LOCK_FILE } from "./names.ts";

const bytes = z.int().nonnegative();

const referrerSchema = z.strictObject({
  digest: digestSchema,
  mediaType: z.string(),
  size: bytes,
  /** What it is: a signature, a bill of materials. */
  artifactType: z.string().optional(),
  /** The manifest that it refers to. */
  subject: digestSchema,
});

const imageSchema = z.strictObject({
  /** As upstream names it, with its registry: "ghcr.io/acme/api:1.4.2". */
  reference: z.string(),
  digest: digestSchema,
  mediaType: z.string(),
  size: bytes,
  platforms: z.array(z.strictObject({ platform: z.string(), digest: digestSchema })),
  /** Platforms that the image's index lists and the bundle leaves out. */
  absent: z.array(z.string()).optional(),
  referrers: z.array(referrerSchema).optional(),
});

const blobSchema = z.strictObject({
  digest: digestSchema,
  mediaType: z.string(),
  size: bytes,
  /** Set for a blob that the baseline holds and this bundle leaves out: the baseline's repositories with it. */
  baseline: z.array(z.string()).optional(),
  /** Upstream's repositories whose images need it: "ghcr.io/acme/api". */
  repositories: z.array(z.string()),
});

const lockSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** Of the lock of the bundle that this one is a delta to. */
  baseline: digestSchema.optional(),
  images: z.array(imageSchema),
  blobs: z.array(blobSchema),
});

export type BundleLock = z.infer<typeof lockSchema>;
export type LockedImage = z.infer<typeof imageSchema>;
export type LockedBlob = z.infer<typeof blobSchema>;
export type LockedReferrer = z.infer<typeof referrerSchema>;

/** Keys come in the schema's order and lists are sorted, so equal bundles have equal locks, byte for byte. */
export function serialiseLock(lock: BundleLock): string {
  return `${JSON.stringify(lockSchema.parse(lock), undefined, 2)}\n`;
}

/** @throws {WaybillError} it is no lock, or a newer one than we read */
export function parseLock(text: Uint8Array | string, where: string): BundleLock {
  return check(lockSchema, parseJson(text, where), where, "is it a bundle of `waybill mirror archive`?");
}

export const totalSize = (blobs: readonly { size: number }[]): number => blobs.reduce((sum, { size }) => sum + size, 0);

/** The first thing in which two locks differ, in words; undefined where they agree. */
export function differenceOf(said: BundleLock, actual: BundleLock): string | undefined {
  const found = lockSchema.parse(actual);
  const images = differing(said.images, found.images, ({ reference }) => reference);
  if (images !== undefined) return `${LOCK_FILE} and the manifests disagree about ${images}`;
  const blobs = differing(said.blobs, found.blobs, ({ digest }) => digest);
  return blobs === undefined ? undefined : `${LOCK_FILE} and the manifests disagree about blob ${blobs}`;
}

function differing<T>(said: readonly T[], actual: readonly T[], nameOf: (item: T) => string): string | undefined {
  const known = new Map(actual.map((item) => [nameOf(item), JSON.stringify(item)]));
  for (const item of said) {
    if (known.get(nameOf(item)) !== JSON.stringify(item)) return nameOf(item);
    known.delete(nameOf(item));
  }
  return known.keys().next().value;
}

/** A blob by digest, and the repositories that need it: what makes the lock's list of blobs. */
export class BlobList {
  readonly #blobs = new Map<Digest, { blob: Descriptor; repositories: Set<string> }>();

  /** @throws {WaybillError} two manifests say two sizes */
  add(blob: Descriptor, repository: string): void {
    const known = this.#blobs.get(blob.digest);
    if (known !== undefined && known.blob.size !== blob.size)
      throw new WaybillError(`two manifests disagree about the size of ${blob.digest}`, { where: repository });
    if (known === undefined) this.#blobs.set(blob.digest, { blob, repositories: new Set([repository]) });
    else known.repositories.add(repository);
  }

  /** In the order of their digests. */
  get locked(): LockedBlob[] {
    const sorted = [...this.#blobs.values()].sort((a, b) => compareText(a.blob.digest, b.blob.digest));
    return sorted.map(({ blob: { digest, mediaType, size }, repositories }) => ({
      digest,
      mediaType,
      size,
      repositories: [...repositories].sort(compareText),
    }));
  }
}
