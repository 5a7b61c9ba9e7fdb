// Computes the record of an image from the image itself.

import type { BlobStore } from "./blobstore.ts";
import { compareText, sorted } from "./canonical.ts";
import type { ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { readConfig, readIndex, readManifest } from "./document.ts";
import { WaybillError } from "./error.ts";
import type { Manifest } from "./manifest.ts";
import { MEDIA_TYPE } from "./mediatype.ts";
import { formatPlatform, isAttestation } from "./platform.ts";
import type { BaseRecord, ImageRecord, LayerRecord, PlatformRecord, VariantRecord } from "./record.ts";
import { unpackedSizeOf } from "./unpacked.ts";

/** What an image's bytes don't tell about it. */
export interface RecordFacts {
  name: string;
  bases?: readonly BaseRecord[];
  buildArgs?: Record<string, string>;
  /** The digest of each variant's index. */
  variants?: Record<string, Digest>;
}

/**
 * The record of the image whose index is `digest`. Order of bases, build args and variants in `facts` does not matter.
 * @param store holds all of the image's blobs
 */
export async function recordOf(store: BlobStore, digest: Digest, facts: RecordFacts): Promise<ImageRecord> {
  const variants: Record<string, VariantRecord> = {};
  for (const [name, variant] of Object.entries(sorted(facts.variants ?? {}))) {
    variants[name] = { digest: variant, platforms: await platformsOf(store, variant) };
  }
  return {
    schemaVersion: 1,
    name: facts.name,
    digest,
    mediaType: (await readIndex(store, digest)).mediaType ?? MEDIA_TYPE.index,
    platforms: await platformsOf(store, digest),
    bases: (facts.bases ?? []).toSorted(
      (a, b) => compareText(a.reference, b.reference) || compareText(a.digest, b.digest),
    ),
    buildArgs: sorted(facts.buildArgs ?? {}),
    variants,
  };
}

async function platformsOf(store: BlobStore, index: Digest): Promise<PlatformRecord[]> {
  const { manifests } = await readIndex(store, index);
  const images = manifests.filter(({ platform }) => !isAttestation(platform));
  const records = await Promise.all(images.map(({ digest }) => platformOf(store, digest)));
  return records.sort((a, b) => compareText(a.platform, b.platform));
}

async function platformOf(store: BlobStore, digest: Digest): Promise<PlatformRecord> {
  const manifest = await readManifest(store, digest);
  const image = await readConfig(store, manifest.config.digest);
  const layers = await layersOf(store, manifest, image);
  const { User, Entrypoint, Cmd, ExposedPorts, Healthcheck } = image.config ?? {};
  const healthcheck = Healthcheck?.Test ?? [];
  return {
    platform: formatPlatform(image),
    digest,
    config: manifest.config.digest,
    size: sum(layers.map((layer) => layer.size)),
    unpackedSize: sum(layers.map((layer) => layer.unpackedSize)),
    layers,
    user: User ?? "",
    entrypoint: Entrypoint ?? [],
    cmd: Cmd ?? [],
    exposedPorts: Object.keys(ExposedPorts ?? {}).sort(byPort),
    healthcheck: healthcheck[0] === "NONE" ? [] : healthcheck,
  };
}

async function layersOf(store: BlobStore, { layers }: Manifest, image: ImageConfig): Promise<LayerRecord[]> {
  const steps = (image.history ?? []).filter((step) => !step.empty_layer);
  // History is optional, and squashed images keep more of it than they have layers: then no step can be told a layer's.
  const told = steps.length === layers.length;
  return await Promise.all(layers.map((layer, i) => layerOf(store, layer, told ? (steps[i]?.created_by ?? "") : "")));
}

async function layerOf(store: BlobStore, layer: Descriptor, createdBy: string): Promise<LayerRecord> {
  const { digest, mediaType, size } = layer;
  if (!(await store.has(digest, size))) {
    throw new WaybillError(`layer ${digest} is missing or cut short`, {
      where: store.path(digest),
      mend: "build the image again",
    });
  }
  return { digest, mediaType, size, unpackedSize: await unpackedSizeOf(store, layer), createdBy };
}

function byPort(a: string, b: string): number {
  return Number.parseInt(a) - Number.parseInt(b) || compareText(a, b);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
