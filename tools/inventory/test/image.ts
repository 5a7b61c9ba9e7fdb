// Images made of a few files, for tests: each layer as a list of paths and contents.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zstdCompressSync } from "node:zlib";
import { onTestFinished } from "vitest";
import {
  BlobStore,
  type ImageConfig,
  type ImageRecord,
  MEDIA_TYPE,
  canonicalJson,
  digestOf,
  indexOf,
  recordOf,
} from "@waybill/oci";
import { type TarEntry, tarOf } from "../../oci/test/tar-of.ts";

export type { TarEntry };

/** One layer: what a build step left. */
export interface Step {
  createdBy: string;
  entries: TarEntry[];
}

export async function temporaryStore(): Promise<BlobStore> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-inventory-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return new BlobStore(folder);
}

/** An image for linux/amd64, and its record. */
export async function imageOf(
  store: BlobStore,
  steps: readonly Step[],
  config: ImageConfig["config"] = {},
): Promise<ImageRecord> {
  const tars = steps.map(({ entries }) => tarOf(entries));
  const layers = [];
  for (const tar of tars) layers.push({ mediaType: MEDIA_TYPE.layerZstd, ...(await store.put(zstdCompressSync(tar))) });
  const image: ImageConfig = {
    architecture: "amd64",
    os: "linux",
    config,
    rootfs: { type: "layers", diff_ids: tars.map((tar) => digestOf(tar)) },
    history: steps.map(({ createdBy }) => ({ created_by: createdBy })),
  };
  const stored = { mediaType: MEDIA_TYPE.config, ...(await store.put(canonicalJson(image))) };
  const manifest = { schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, config: stored, layers };
  const descriptor = { mediaType: MEDIA_TYPE.manifest, ...(await store.put(canonicalJson(manifest))) };
  const platform = { os: "linux", architecture: "amd64" };
  const index = await indexOf(store, [{ ...descriptor, platform }]);
  return await recordOf(store, index.digest, { name: "example" });
}
