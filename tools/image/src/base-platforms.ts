// A base for platforms that its record has not: built along with the image that wants it. The base's own record stays as it is, as its
// own build says what the base is built for.

import type { Digest } from "@waybill/oci";
import { buildImage } from "./build.ts";
import type { Image } from "./image.ts";

/** One process builds a base once, whichever of its images and platforms ask for it. */
const built = new Map<string, Promise<Digest>>();

/**
 * The digest of the base's index over all of `platforms`; its bytes are in the store.
 * @throws {WaybillError} it can't be built for one of them, which is named
 */
export function baseFor(base: Image, platforms: readonly string[], onLine?: (line: string) => void): Promise<Digest> {
  const sorted = platforms.toSorted();
  const key = `${base.folder} ${sorted.join(" ")}`;
  const known = built.get(key);
  if (known !== undefined) return known;
  onLine?.(`base: building ${base.name} for ${sorted.join(", ")}`);
  const digest = buildImage(base, { platforms: sorted, keepRecord: true, onLine }).then((record) => record.digest);
  built.set(key, digest);
  return digest;
}
