// Images made by hand, small enough to reason about, and folders that go away after the test.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { onTestFinished } from "vitest";
import { BlobStore, canonicalJson, digestOf, indexOf, MEDIA_TYPE } from "@waybill/oci";
import type { Descriptor, ImageConfig } from "@waybill/oci";
import type { BlobSource } from "@waybill/oci/registry";

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-oci-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function temporaryStore(): Promise<BlobStore> {
  return new BlobStore(await temporaryFolder());
}

/** 10 000 bytes unpacked as gzip, 20 000 as zstd; `seed` makes them differ from other images'. */
async function putLayers(store: BlobStore, seed = "a"): Promise<Descriptor[]> {
  const gzip = await store.put(gzipSync(Buffer.alloc(10_000, seed)));
  const zstd = await store.put(zstdCompressSync(Buffer.alloc(20_000, seed)));
  return [
    { mediaType: MEDIA_TYPE.layerGzip, ...gzip },
    { mediaType: MEDIA_TYPE.layerZstd, ...zstd },
  ];
}

function configOf(layers: readonly Descriptor[], changes: Partial<ImageConfig> = {}): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    config: {
      User: "65532",
      Entrypoint: ["/api"],
      Cmd: null,
      ExposedPorts: { "9090/tcp": {}, "80/tcp": {}, "8080/tcp": {} },
      Healthcheck: { Test: ["CMD", "/api", "health"] },
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digestOf(digest)) },
    history: [{ created_by: "COPY base" }, { created_by: "ENV A=b", empty_layer: true }, { created_by: "COPY api" }],
    ...changes,
  };
}

/** One platform's manifest, with its config and layers in the store. */
export async function putManifest(
  store: BlobStore,
  changes: Partial<ImageConfig> = {},
  seed = "a",
): Promise<Descriptor> {
  const layers = await putLayers(store, seed);
  const config = { mediaType: MEDIA_TYPE.config, ...(await store.put(canonicalJson(configOf(layers, changes)))) };
  const manifest = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config, layers });
  return { mediaType: MEDIA_TYPE.manifest, ...(await store.put(manifest)) };
}

/** A whole image for linux/amd64 and linux/arm64; gives its index. */
export async function putImage(store: BlobStore, seed = "a"): Promise<Descriptor> {
  const manifests = [await putManifest(store, { architecture: "arm64" }, seed), await putManifest(store, {}, seed)];
  return await indexOf(store, manifests);
}

/** Bytes as something to upload. */
export function blobOf(bytes: Buffer): BlobSource {
  return { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from(bytes.length === 0 ? [] : [bytes]) };
}
