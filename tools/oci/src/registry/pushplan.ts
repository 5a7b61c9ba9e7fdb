// What a push would do, as data: it can be shown (`--dry-run`), and then carried out (push.ts).

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

/** Requests under way at a time. */
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

/** Finds out what a push would do. Changes nothing. */
export async function planPush(
  client: RegistryClient,
  store: BlobStore,
  digest: Digest,
  repository: string,
  tags: readonly string[],
): Promise<PushPlan> {
  for (const tag of tags) assertTag(tag);
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

/** What placing a tag would do now. */
export async function planTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  digest: Digest,
): Promise<TagPlan> {
  const current = (await client.headManifest(repository, tag))?.digest;
  if (current === undefined) return { tag, current, action: "create" };
  if (current === digest) return { tag, current, action: "keep" };
  return { tag, current, action: isVersion(tag) ? "refuse" : "move" };
}

/** A tag that promises one image for ever: a full semantic version, with "v" or a suffix ("_" stands for semver's "+"). */
export function isVersion(tag: string): boolean {
  return /^v?\d+\.\d+\.\d+([-_.][\w.-]+)?$/.test(tag);
}

function assertTag(tag: string): void {
  if (isTag(tag)) return;
  throw new WaybillError(`"${tag}" is not a tag`, { mend: "use letters, digits, _ . and -, 128 characters at most" });
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
