// Makes what an engine built a function of its input (idea 3): no moment of building in any layer, layers compressed by this
// Node's own library, so that neither the engine's clock nor its compressor is part of a digest. Layers that came with a base are
// taken over as the base has them.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { writeFileAtomic } from "./atomic.ts";
import type { BlobStore } from "./blobstore.ts";
import { canonicalJson } from "./canonical.ts";
import { ClampTimes } from "./clamp.ts";
import { digestSchema } from "./descriptor.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import { parseDocument, parseJson, readConfig, readManifest } from "./document.ts";
import { WaybillError } from "./error.ts";
import { manifestOfPlatform } from "./imageindex.ts";
import type { Manifest } from "./manifest.ts";
import { MEDIA_TYPE, compressionOf } from "./mediatype.ts";
import { pack } from "./pack.ts";
import type { LayerCompression } from "./pack.ts";
import { decompressor, rememberUnpackedSize } from "./unpacked.ts";

export interface NormaliseOptions {
  compression: LayerCompression;
  /** A base's layers by the digest of their tar (its config's diff_ids). */
  inherited: ReadonlyMap<Digest, Descriptor>;
}

/** Goes up when the same layer comes out differently: notes of an older kind are then not believed. */
const REVISION = 2;

/** The time that everything gets. */
const EPOCH = "1970-01-01T00:00:00Z";

/**
 * Copies the image whose manifest is `digest` from `source` into `target`, normalised.
 * @returns the descriptor of the new manifest, without a platform
 * @throws {WaybillError} the engine's output is incomplete or no image
 */
export async function normaliseImage(
  source: BlobStore,
  target: BlobStore,
  digest: Digest,
  options: NormaliseOptions,
): Promise<Descriptor> {
  const manifest = await readManifest(source, digest);
  const { rootfs } = await readConfig(source, manifest.config.digest);
  const diffIds = rootfs.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length) {
    throw new WaybillError("the engine's image has other layers than its configuration", { where: digest });
  }
  const layers: NormalisedLayer[] = [];
  for (const [index, layer] of manifest.layers.entries()) {
    const diffId = diffIds[index] as Digest;
    const inherited = options.inherited.get(diffId);
    const kept = inherited !== undefined && (await target.has(inherited.digest, inherited.size));
    layers.push(kept ? { ...inherited, diffId } : await normaliseLayer(source, target, layer, options));
  }
  const config = parseJson(await source.read(manifest.config.digest), manifest.config.digest) as Record<
    string,
    unknown
  >;
  const stored = await target.put(canonicalJson(timeless(config, layers)));
  const bytes = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, ...stored },
    layers: layers.map(({ mediaType, digest: of, size }) => ({ mediaType, digest: of, size })),
  });
  return { mediaType: MEDIA_TYPE.manifest, ...(await target.put(bytes)) };
}

/**
 * The layers of an image by the digest of their tar, to inherit.
 * @param digest an index, of which the platform's manifest is taken, or a manifest
 * @throws {WaybillError} the index has nothing for the platform
 */
export async function layersByDiffId(
  store: BlobStore,
  digest: Digest,
  platform: string,
): Promise<Map<Digest, Descriptor>> {
  const manifest = await manifestFor(store, digest, platform);
  if (manifest === undefined) return new Map();
  const { config, layers } = manifest;
  const { rootfs } = await readConfig(store, config.digest);
  return new Map(layers.map((layer, index) => [rootfs.diff_ids?.[index] as Digest, layer]));
}

async function manifestFor(store: BlobStore, digest: Digest, platform: string): Promise<Manifest | undefined> {
  const document = parseDocument(await store.read(digest), digest);
  if (document.kind === "manifest") return document.manifest;
  const found = manifestOfPlatform(document.index, platform);
  return found === undefined ? undefined : readManifest(store, found.digest);
}

/** The whole of the configuration, with what this package knows nothing about too (Shell, OnBuild). */
function timeless(config: Record<string, unknown>, layers: readonly NormalisedLayer[]): object {
  const history = Array.isArray(config["history"]) ? (config["history"] as object[]) : [];
  return {
    ...config,
    created: EPOCH,
    history: history.map((step) => ({ ...step, created: EPOCH })),
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  };
}

interface NormalisedLayer extends Descriptor {
  diffId: Digest;
}

const noteSchema = z.object({ digest: digestSchema, size: z.int(), diffId: digestSchema });

/** The same layer comes from an engine that had every step cached: what became of it is noted beside the store's blobs. */
async function normaliseLayer(
  source: BlobStore,
  target: BlobStore,
  layer: Descriptor,
  { compression }: NormaliseOptions,
): Promise<NormalisedLayer> {
  const note = `${target.metaPath(layer.digest)}.${compression}-${REVISION}`;
  const mediaType = compression === "gzip" ? MEDIA_TYPE.layerGzip : MEDIA_TYPE.layerZstd;
  const known = await recall(note);
  if (known !== undefined && (await target.has(known.digest, known.size))) return { mediaType, ...known };
  const from = compressionOf(layer.mediaType);
  if (from === undefined)
    throw new WaybillError(`media type ${layer.mediaType} is no image layer`, { where: layer.digest });
  const tar = createHash("sha256");
  let unpackedSize = 0;
  const look = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      tar.update(chunk);
      unpackedSize += chunk.length;
      yield chunk;
    }
  };
  const stored = await pipeline(
    source.readStream(layer.digest),
    decompressor(from),
    new ClampTimes(),
    look,
    (chunks: AsyncIterable<Buffer>) => target.add(pack(chunks, compression)),
  );
  const made = { ...stored, diffId: `sha256:${tar.digest("hex")}` as const };
  await rememberUnpackedSize(target, stored.digest, unpackedSize);
  await writeFileAtomic(note, canonicalJson(made));
  return { mediaType, ...made };
}

async function recall(note: string): Promise<z.infer<typeof noteSchema> | undefined> {
  const text = await readFile(note, "utf8").catch(() => "");
  try {
    return noteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
