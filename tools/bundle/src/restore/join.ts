// Two images under one name: an index of the platforms of both (`--on-conflict merge`), or of those alone that a bundle holds (`--trim`).

import {
  type Descriptor,
  type Digest,
  MEDIA_TYPE,
  WaybillError,
  canonicalJson,
  check,
  compareText,
  configSchema,
  digestOf,
  formatPlatform,
  parseDocument,
  parseJson,
} from "@waybill/oci";
import { everything, hasPlatform, manifestsOnly } from "../selection.ts";

export interface JoinedIndex extends Descriptor {
  bytes: Buffer;
}

/** What an image consists of, as entries of an index. */
export type Entries = readonly Descriptor[];

/**
 * @param ours win where both have a platform
 * @returns undefined where the other has nothing that ours hasn't, and ours is `whole` as it stands
 */
export function join(ours: Entries, others: Entries): JoinedIndex {
  const platforms = new Set(ours.filter(hasPlatform).map(platformOf));
  const kept = others.filter((entry) => hasPlatform(entry) && !platforms.has(platformOf(entry)));
  // What attests a manifest goes with it.
  const attached = manifestsOnly(kept.map(({ digest }) => digest))(others);
  const entries = new Map([...attached, ...ours].map((entry) => [entry.digest, entry]));
  const manifests = [...entries.values()].sort(
    (a, b) => compareText(platformOf(a), platformOf(b)) || compareText(a.digest, b.digest),
  );
  const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests }));
  return { mediaType: MEDIA_TYPE.index, digest: digestOf(bytes), size: bytes.length, bytes };
}

/** True if the one lists all that the other does. */
export function covers(entries: Entries, others: Entries): boolean {
  const here = new Set(entries.map(({ digest }) => digest));
  return others.every(({ digest }) => here.has(digest));
}

/**
 * An image as entries of an index: an index's own, or the one of a single manifest.
 * @param held the platforms' manifests that count; undefined for all
 * @param readConfig gives the config of a manifest that stands alone
 */
export async function entriesOf(
  root: Descriptor & { bytes: Uint8Array },
  held: readonly Digest[] | undefined,
  readConfig: (config: Descriptor) => Promise<Uint8Array>,
): Promise<Entries> {
  const document = parseDocument(root.bytes, root.digest);
  if (document.kind === "index")
    return (held === undefined ? everything : manifestsOnly(held))(document.index.manifests);
  const { config } = document.manifest;
  const image = configSchema.safeParse(parseJson(await readConfig(config), config.digest));
  if (!image.success) throw new WaybillError("what has no platform can't be joined", { where: root.digest });
  const { os, architecture, variant } = check(configSchema, image.data, config.digest);
  const platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return [{ mediaType: root.mediaType, digest: root.digest, size: root.size, platform }];
}

const platformOf = ({ platform }: Descriptor): string => (platform === undefined ? "" : formatPlatform(platform));
