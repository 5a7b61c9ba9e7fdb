// Builds the index an image is named by, from the manifests an engine made.

import type { BlobStore } from "./blobstore.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import type { Descriptor } from "./descriptor.ts";
import { readConfig, readManifest } from "./document.ts";
import { WaybillError } from "./error.ts";
import { MEDIA_TYPE } from "./mediatype.ts";
import { formatPlatform } from "./platform.ts";
import type { Platform } from "./platform.ts";

/**
 * Stores the index over `manifests` and gives its descriptor. The same manifests give the same digest, whatever their order and
 * their annotations. A manifest that comes without its platform (some engines leave it out) is asked for it.
 */
export async function indexOf(store: BlobStore, manifests: readonly Descriptor[]): Promise<Descriptor> {
  if (manifests.length === 0) throw new WaybillError("an image needs at least one platform");
  const entries = await Promise.all(manifests.map((manifest) => bareEntry(store, manifest)));
  entries.sort((a, b) => compareText(formatPlatform(a.platform), formatPlatform(b.platform)));
  const twice = entries.find(
    (entry, i) => formatPlatform(entry.platform) === formatPlatform(entries[i - 1]?.platform ?? NONE),
  );
  if (twice) throw new WaybillError(`an index can't hold two manifests for ${formatPlatform(twice.platform)}`);
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: entries });
  return { mediaType: MEDIA_TYPE.index, ...(await store.put(bytes)) };
}

const NONE: Platform = { os: "", architecture: "" };

async function bareEntry(store: BlobStore, manifest: Descriptor): Promise<Descriptor & { platform: Platform }> {
  const { mediaType, digest, size } = manifest;
  return { mediaType, digest, size, platform: manifest.platform ?? (await platformOf(store, manifest)) };
}

async function platformOf(store: BlobStore, { digest }: Descriptor): Promise<Platform> {
  const { config } = await readManifest(store, digest);
  const { os, architecture, variant } = await readConfig(store, config.digest);
  return variant ? { os, architecture, variant } : { os, architecture };
}
