// What a bundle is made of (image-spec, "Image Layout"), and the one file of ours beside it.

import { type Digest, isDigest, splitDigest } from "@waybill/oci";

export const LAYOUT_FILE = "oci-layout";
export const INDEX_FILE = "index.json";
export const LOCK_FILE = "waybill.lock.json";

/** Where a blob lies in a bundle. */
export function blobName(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

/** The blob that a name is; undefined for any other name. */
export function blobOfName(name: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}

/** The names that are neither folders nor blobs. */
export const isDocumentName = (name: string): boolean => [LAYOUT_FILE, INDEX_FILE, LOCK_FILE].includes(name);

export const isFolderName = (name: string): boolean => /^(?:\.|blobs(?:\/sha(?:256|512))?)$/.test(name);
