// What a bundle will be, as data: its lock, its small files, and where each blob comes from. Then it is written (write.ts).

import type { Readable } from "node:stream";
import { type Descriptor, type Digest, WaybillError, canonicalJson, compareText, mapLimit } from "@waybill/oci";
import type { Contents } from "../contents.ts";
import { BlobList, type BundleLock, type LockedImage, serialiseLock } from "../lock.ts";
import { INDEX_FILE, LAYOUT_FILE, LOCK_FILE } from "../names.ts";
import { type Collected, collect } from "./collect.ts";
import type { ImageSource } from "./source.ts";

/** Images asked about at a time. */
const PARALLEL = 4;

export interface Wanted {
  source: ImageSource;
  /** As in "linux/arm64"; undefined for all. */
  platforms: readonly string[] | undefined;
}

export interface ArchiveOptions {
  /** Signatures, bills of materials and whatever else refers to an image come too. */
  referrers?: boolean | undefined;
  baseline?: Baseline | undefined;
}

export interface ArchivePlan {
  lock: BundleLock;
  /** oci-layout, index.json and the lock, in this order. */
  documents: { name: string; bytes: Buffer }[];
  /** What the bundle holds, in the order of the digests. */
  blobs: PlannedBlob[];
}

export interface PlannedBlob {
  digest: Digest;
  size: number;
  /** The bytes from the start; the stream fails where they are not the blob. */
  open(): Readable;
  /** Set where they are in memory already. */
  bytes?: Uint8Array | undefined;
}

/** A bundle that the one at hand is a delta to. */
export interface Baseline {
  lock: BundleLock;
  /** Of its lock. */
  digest: Digest;
}

/** Asks for the images' manifests; fetches no layer. @throws {WaybillError} two images have the same name */
export async function planArchive(
  wanted: readonly Wanted[],
  { referrers = false, baseline }: ArchiveOptions = {},
): Promise<ArchivePlan> {
  const collected = await mapLimit(wanted, PARALLEL, ({ source, platforms }) => collect(source, platforms, referrers));
  const images = unique(collected.toSorted((a, b) => compareText(a.image.reference, b.image.reference)));
  const lock = withBaseline(lockOf(images), smallOf(images), baseline);
  const index = indexOf(lock.images);
  const documents = [
    { name: LAYOUT_FILE, bytes: Buffer.from(canonicalJson({ imageLayoutVersion: "1.0.0" })) },
    { name: INDEX_FILE, bytes: Buffer.from(canonicalJson(index)) },
    { name: LOCK_FILE, bytes: Buffer.from(serialiseLock(lock)) },
  ];
  return { lock, documents, blobs: blobsOf(lock, images) };
}

/** The lock that follows from what the images consist of. */
export function lockOf(images: readonly Pick<Collected, "image" | "contents" | "repository">[]): BundleLock {
  const list = new BlobList();
  for (const { contents, repository } of images)
    for (const { manifests, blobs } of contents)
      for (const blob of [...manifests, ...blobs]) list.add(blob, repository);
  return { schemaVersion: 1, images: images.map(({ image }) => image), blobs: list.locked };
}

/** The layout's index: each image under its name, for skopeo and podman and for containerd; then what refers to them. */
export function indexOf(images: readonly LockedImage[]): object {
  const named = images.map(({ reference, mediaType, digest, size }) => ({
    mediaType,
    digest,
    size,
    annotations: { "org.opencontainers.image.ref.name": reference, "io.containerd.image.name": reference },
  }));
  const referrers = new Map(images.flatMap(({ referrers: all = [] }) => all.map((each) => [each.digest, each])));
  const others = [...referrers.values()].map(({ mediaType, digest, size, artifactType }) => ({
    mediaType,
    digest,
    size,
    artifactType,
  }));
  others.sort((a, b) => compareText(a.digest, b.digest));
  return { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [...named, ...others] };
}

/** An image may be asked for twice; two images of one name may not be in one bundle. */
function unique(images: readonly Collected[]): Collected[] {
  return images.filter(({ image }, i) => {
    const before = images[i - 1]?.image;
    if (before?.reference !== image.reference) return true;
    if (before.digest === image.digest) return false;
    throw new WaybillError(`two images are named ${image.reference}`, { mend: "archive one of them" });
  });
}

/** Manifests and configs are always in: they are small, and tell what the rest is. */
function smallOf(images: readonly { contents: Contents[] }[]): Set<Digest> {
  const contents = images.flatMap((image) => image.contents);
  const manifests = contents.flatMap((each) => each.manifests.map(({ digest }) => digest));
  return new Set([...manifests, ...contents.flatMap(({ configs }) => [...configs])]);
}

function withBaseline(lock: BundleLock, small: Set<Digest>, baseline: Baseline | undefined): BundleLock {
  if (baseline === undefined) return lock;
  const held = new Map(baseline.lock.blobs.map(({ digest, repositories }) => [digest, repositories]));
  const blobs = lock.blobs.map(({ repositories, ...blob }) => {
    const there = small.has(blob.digest) ? undefined : held.get(blob.digest);
    return there === undefined ? { ...blob, repositories } : { ...blob, baseline: there, repositories };
  });
  return { ...lock, baseline: baseline.digest, blobs };
}

function blobsOf(lock: BundleLock, images: readonly Collected[]): PlannedBlob[] {
  const open = new Map<Digest, Omit<PlannedBlob, "digest" | "size">>();
  for (const { source, contents, documents } of images) {
    const all: Descriptor[] = contents.flatMap(({ manifests, blobs }) => [...manifests, ...blobs]);
    for (const blob of all) open.set(blob.digest, { bytes: documents.get(blob.digest), open: () => source.open(blob) });
  }
  return lock.blobs
    .filter(({ baseline }) => baseline === undefined)
    .map(({ digest, size }) => ({ digest, size, ...(open.get(digest) as Omit<PlannedBlob, "digest" | "size">) }));
}
