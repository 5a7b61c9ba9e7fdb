// Which platforms of an image go into a bundle.

import { type Descriptor, type Digest, isAttestation, manifestOfPlatform } from "@waybill/oci";
import type { Selection } from "./contents.ts";

/** By which BuildKit's attestations name the manifest they are about. */
const ATTESTED = "vnd.docker.reference.digest";

export const everything: Selection = (entries) => entries;

/** Those platforms, what attests them, and what has no platform at all. */
export function platformsOnly(platforms: readonly string[]): Selection {
  return (entries) => {
    const index = { schemaVersion: 2, manifests: entries.filter(hasPlatform) } as const;
    const fitting = platforms.map((platform) => manifestOfPlatform(index, platform));
    return manifestsOnly(fitting.flatMap((entry) => entry?.digest ?? []))(entries);
  };
}

/** As `platformsOnly`, by the digests of the platforms' manifests: what a lock says of an image. */
export function manifestsOnly(digests: readonly Digest[]): Selection {
  return (entries) => {
    const out = entries.filter((entry) => hasPlatform(entry) && !digests.includes(entry.digest));
    const left: ReadonlySet<string> = new Set(out.map(({ digest }) => digest));
    return entries.filter(({ digest, annotations }) => !left.has(digest) && !left.has(annotations?.[ATTESTED] ?? ""));
  };
}

/** True for an entry that runs somewhere: attestations and artefacts don't. */
export const hasPlatform = ({ platform }: Descriptor): boolean => platform !== undefined && !isAttestation(platform);

/** Whether "linux/arm64" is what "linux/arm64/v8" is: a variant that only one of the two names doesn't matter. */
export function samePlatform(a: string, b: string): boolean {
  const [one, other] = [a.split("/"), b.split("/")];
  const alike = one[0] === other[0] && one[1] === other[1];
  return alike && (one[2] === undefined || other[2] === undefined || one[2] === other[2]);
}
