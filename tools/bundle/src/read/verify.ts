// Proves a bundle: every byte against its digest, and everything its lock and its index say against its manifests. A bundle that
// passes is what was archived, whoever carried it.

import { type Descriptor, type Digest, WaybillError, canonicalJson, parseJson } from "@waybill/oci";
import { assertSubject, referrerOf } from "../archive/collect.ts";
import { indexOf, lockOf } from "../archive/plan.ts";
import { rootOf } from "../archive/source.ts";
import { type Contents, contentsOf } from "../contents.ts";
import { type BundleLock, type LockedImage, type LockedReferrer, differenceOf } from "../lock.ts";
import { INDEX_FILE, LAYOUT_FILE } from "../names.ts";
import { everything, manifestsOnly } from "../selection.ts";
import { nameOf } from "./name-of.ts";
import type { Bundle } from "./open.ts";

/** An image of a bundle, with all that its manifests say is here. */
export interface BundledImage {
  image: LockedImage;
  /** Upstream's repository, with its registry. */
  repository: string;
  /** The image's own, then those of its referrers, in the order of the lock. */
  contents: Contents[];
}

/**
 * Reads the manifests, and holds lock and index against them. Reads no layer.
 * @throws {WaybillError} they don't agree, or something that is needed isn't there
 */
export async function readImages(bundle: Bundle): Promise<BundledImage[]> {
  const { where, lock } = bundle;
  const images: BundledImage[] = [];
  for (const said of lock.images) images.push(await imageOf(bundle, said));
  const difference = differenceOf(lock, expected(bundle, lockOf(images)));
  if (difference !== undefined) throw new WaybillError(difference, { where });
  assertIndex(bundle);
  assertHeld(bundle, images);
  return images;
}

/** What damage was found, in a line each; none in a sound bundle. Reads every byte. */
export async function findDamage(bundle: Bundle, onBytes: (count: number) => void = () => {}): Promise<string[]> {
  const damage: string[] = [];
  for (const digest of bundle.blobs.keys()) {
    try {
      for await (const chunk of bundle.stream(digest)) onBytes((chunk as Buffer).length);
    } catch (error) {
      if (!(error instanceof WaybillError)) throw error;
      damage.push(error.what);
    }
  }
  return damage;
}

/** @throws {WaybillError} not every byte is what was archived */
export async function assertSound(bundle: Bundle, onBytes?: (count: number) => void): Promise<void> {
  const damage = await findDamage(bundle, onBytes);
  if (damage.length === 0) return;
  const more = damage.length > 1 ? `, and ${damage.length - 1} more` : "";
  throw new WaybillError(`the bundle is damaged: ${damage[0]}${more}`, { where: bundle.where, mend: "copy it again" });
}

async function imageOf(bundle: Bundle, said: LockedImage): Promise<BundledImage> {
  const read = (descriptor: Descriptor): Promise<Buffer> => bundle.read(descriptor);
  const root = rootOf(await bundle.read(said), said.digest);
  const own = await contentsOf(root, read, manifestsOnly(said.platforms.map((each) => each.digest)));
  const contents = [own];
  const referrers: LockedReferrer[] = [];
  for (const { subject, ...referrer } of said.referrers ?? []) {
    const bytes = await bundle.read(referrer);
    assertSubject(bytes, referrer.digest, subject);
    referrers.push(referrerOf(bytes, referrer.digest, subject));
    contents.push(await contentsOf(rootOf(bytes, referrer.digest), read, everything));
  }
  const { reference, digest, size } = said;
  const image: LockedImage = {
    reference,
    digest,
    mediaType: root.mediaType,
    size,
    platforms: own.platforms,
    ...(own.absent.length > 0 && { absent: own.absent }),
    ...(referrers.length > 0 && { referrers }),
  };
  return { image, repository: nameOf(reference, digest).name, contents };
}

/** The lock that the manifests give; what it says of its baseline only a destination can tell. */
function expected({ lock, blobs }: Bundle, found: BundleLock): BundleLock {
  const said = new Map(lock.blobs.map(({ digest, baseline }) => [digest, baseline]));
  return {
    ...found,
    blobs: found.blobs.map((blob) => {
      const baseline = blobs.has(blob.digest) ? undefined : said.get(blob.digest);
      return baseline === undefined ? blob : { ...blob, baseline };
    }),
  };
}

function assertIndex({ where, lock, layout }: Bundle): void {
  const index = canonicalJson(parseJson(layout.index, `${where} ${INDEX_FILE}`));
  if (index !== canonicalJson(indexOf(lock.images)))
    throw new WaybillError(`${INDEX_FILE} names other images than the lock`, { where });
  const marker = canonicalJson(parseJson(layout.marker, `${where} ${LAYOUT_FILE}`));
  if (marker !== canonicalJson({ imageLayoutVersion: "1.0.0" }))
    throw new WaybillError("not an OCI image layout of version 1.0.0", { where });
}

/** Every blob is here in its size, or left to the baseline; and nothing is here that no image needs. */
function assertHeld({ where, lock, blobs }: Bundle, images: readonly BundledImage[]): void {
  const small = new Set<Digest>(images.flatMap(({ contents }) => contents.flatMap(({ configs }) => [...configs])));
  const left = new Set(blobs.keys());
  for (const { digest, size, baseline } of lock.blobs) {
    const held = blobs.get(digest);
    left.delete(digest);
    if (baseline !== undefined && lock.baseline !== undefined && !small.has(digest)) continue;
    if (held === undefined) throw new WaybillError(`${digest} is missing`, { where, mend: "copy the bundle again" });
    if (held !== size) throw new WaybillError(`${digest} has ${held} bytes, the lock says ${size}`, { where });
  }
  for (const digest of left) throw new WaybillError(`the bundle has ${digest}, which no image of it needs`, { where });
}
