// Which manifests of an image are wanted: those of some platforms, with what was attested of them, or all.

import type { Descriptor, ImageIndex } from "@waybill/oci";
import { WaybillError, formatPlatform, isAttestation, manifestOfPlatform, parsePlatform } from "@waybill/oci";

export type Platforms = readonly string[] | "all";

/** BuildKit's mark on an attestation: the digest of the manifest that it is about. */
const ABOUT = "vnd.docker.reference.digest";

/** @throws {WaybillError} a platform that the image doesn't have */
export function choose(index: ImageIndex, platforms: Platforms): Descriptor[] {
  const has = platformsOf(index);
  // An index of charts or signatures is for no platform: all of it is meant.
  if (platforms === "all" || has.length === 0) return index.manifests;
  const chosen = platforms.map((platform) => {
    const found = manifestOfPlatform(index, platform);
    if (found !== undefined) return found;
    throw lacks(platform, has);
  });
  const digests = new Set<string>(chosen.map(({ digest }) => digest));
  return index.manifests.filter(
    ({ digest, annotations }) => digests.has(digest) || digests.has(annotations?.[ABOUT] ?? ""),
  );
}

/** @param actual of an image that is for one platform alone @throws {WaybillError} another one is wanted */
export function assertFits(actual: string, platforms: readonly string[]): void {
  const { os, architecture } = parsePlatform(actual);
  const wrong = platforms.find((platform) => {
    const wanted = parsePlatform(platform);
    return wanted.os !== os || wanted.architecture !== architecture;
  });
  if (wrong !== undefined) throw lacks(wrong, [actual]);
}

function platformsOf({ manifests }: ImageIndex): string[] {
  const named = manifests.flatMap(({ platform }) =>
    platform && !isAttestation(platform) ? [formatPlatform(platform)] : [],
  );
  return [...new Set(named)];
}

function lacks(platform: string, has: readonly string[]): WaybillError {
  return new WaybillError(`it is not for ${platform}, but for ${has.join(", ")}`);
}
