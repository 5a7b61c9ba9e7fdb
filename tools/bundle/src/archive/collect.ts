// Finds out what an image consists of, before a byte of its layers is fetched.

import { type Descriptor, type Digest, WaybillError, parseDocument } from "@waybill/oci";
import type { DocumentReader } from "@waybill/oci/registry";
import { type Contents, contentsOf } from "../contents.ts";
import type { LockedImage, LockedReferrer } from "../lock.ts";
import { everything, platformsOnly, samePlatform } from "../selection.ts";
import { type ImageSource, artifactTypeOf, lockedReference, repositoryName, rootOf } from "./source.ts";

export interface Collected {
  source: ImageSource;
  /** Upstream's repository, with its registry. */
  repository: string;
  image: LockedImage;
  /** The image's own, then its referrers'. */
  contents: Contents[];
  /** Every manifest, by digest. */
  documents: Map<Digest, Uint8Array>;
}

/**
 * @param platforms as in "linux/arm64"; undefined for all
 * @param referrers true: signatures, bills of materials and whatever else refers to the image come too
 * @throws {WaybillError} there is no such image, or it has not got a platform that was asked for
 */
export async function collect(
  source: ImageSource,
  platforms: readonly string[] | undefined,
  referrers: boolean,
): Promise<Collected> {
  const documents = new Map<Digest, Uint8Array>();
  const read: DocumentReader = async (descriptor) => {
    const bytes = documents.get(descriptor.digest) ?? (await source.document(descriptor));
    documents.set(descriptor.digest, bytes);
    return bytes;
  };
  const root = await source.root();
  const own = await contentsOf(root, read, platforms === undefined ? everything : platformsOnly(platforms));
  const reference = lockedReference(source.reference);
  assertPlatforms(own, platforms, reference);
  const found = referrers ? await referrersOf(source, own.manifests, read) : [];
  const { mediaType, digest, size } = root;
  const image: LockedImage = {
    reference,
    digest,
    mediaType,
    size,
    platforms: own.platforms,
    ...(own.absent.length > 0 && { absent: own.absent }),
    ...(found.length > 0 && { referrers: found.map(({ referrer }) => referrer) }),
  };
  const contents = [own, ...found.map((each) => each.contents)];
  return { source, repository: repositoryName(source.reference), image, contents, documents };
}

interface Found {
  referrer: LockedReferrer;
  contents: Contents;
}

/** A signature may itself be signed: what refers to a referrer comes too. In the order of their subjects. */
async function referrersOf(
  source: ImageSource,
  manifests: readonly Descriptor[],
  read: DocumentReader,
): Promise<Found[]> {
  const found: Found[] = [];
  const subjects = manifests.map(({ digest }) => digest);
  const seen = new Set<Digest>(subjects);
  for (const subject of subjects) {
    for (const descriptor of await source.referrers(subject)) {
      if (seen.has(descriptor.digest)) continue;
      seen.add(descriptor.digest);
      subjects.push(descriptor.digest);
      const bytes = await read(descriptor);
      assertSubject(bytes, descriptor.digest, subject);
      const referrer = referrerOf(bytes, descriptor.digest, subject);
      found.push({ referrer, contents: await contentsOf(referrer, read, everything) });
    }
  }
  return found.sort((a, b) => (a.referrer.digest < b.referrer.digest ? -1 : 1));
}

/** As the lock has it; what a registry's list says of it is not asked. */
export function referrerOf(bytes: Uint8Array, digest: Digest, subject: Digest): LockedReferrer {
  const { mediaType, size } = rootOf(bytes, digest);
  const artifactType = artifactTypeOf(bytes, digest);
  return { digest, mediaType, size, ...(artifactType !== undefined && { artifactType }), subject };
}

/** @throws {WaybillError} the manifest is about something else, whatever a list says */
export function assertSubject(bytes: Uint8Array, digest: Digest, subject: Digest): void {
  const document = parseDocument(bytes, digest);
  const actual = (document.kind === "index" ? document.index : document.manifest).subject?.digest;
  if (actual !== subject) throw new WaybillError(`${digest} does not refer to ${subject}`);
}

function assertPlatforms({ platforms, absent }: Contents, wanted: readonly string[] = [], reference: string): void {
  // Artefacts such as charts are for every platform.
  if (platforms.length === 0 && absent.length === 0) return;
  const missing = wanted.filter((each) => !platforms.some(({ platform }) => samePlatform(platform, each)));
  if (missing.length === 0) return;
  const all = [...new Set([...platforms.map(({ platform }) => platform), ...absent])].sort();
  throw new WaybillError(`there is no ${missing.join(", ")} of this image`, {
    where: reference,
    mend: `it has ${all.join(", ")}: name one with --platform, or take --all-platforms`,
  });
}
