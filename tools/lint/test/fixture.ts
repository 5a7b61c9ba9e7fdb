// Images as tests need them: a folder of files, and a record over layers made entry by entry.

import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readImage } from "@waybill/image";
import type { Image } from "@waybill/image";
import { BlobStore, MEDIA_TYPE } from "@waybill/oci";
import type { ImageRecord, PlatformRecord } from "@waybill/oci";
import { tarOf } from "../../oci/test/tar-of.ts";
import type { TarEntry } from "../../oci/test/tar-of.ts";

/** A repo's images/ with a folder for each name; a file's path begins with the name. */
export async function repoOf(files: Record<string, string>): Promise<Map<string, Image>> {
  const root = await mkdtemp(join(tmpdir(), "waybill-lint-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const names = new Set(Object.keys(files).map((path) => path.split("/")[0] ?? ""));
  return new Map([...names].map((name) => [name, readImage(join(root, name))]));
}

/** A store with the layers in it, and the record of an image that has them. */
export async function builtOf(
  layers: TarEntry[][],
  config: Partial<PlatformRecord> = {},
): Promise<{ store: BlobStore; record: ImageRecord }> {
  const store = new BlobStore(await mkdtemp(join(tmpdir(), "waybill-store-")));
  const blobs = await Promise.all(layers.map((entries) => store.put(tarOf(entries))));
  const digest = blobs[0]?.digest ?? "sha256:0000000000000000000000000000000000000000000000000000000000000000";
  const platform: PlatformRecord = {
    platform: "linux/amd64",
    digest,
    config: digest,
    size: 0,
    unpackedSize: 0,
    layers: blobs.map((blob, index) => ({
      ...blob,
      mediaType: MEDIA_TYPE.layer,
      unpackedSize: blob.size,
      createdBy: `RUN step ${index}`,
    })),
    user: "65532",
    entrypoint: ["/app"],
    cmd: [],
    exposedPorts: [],
    healthcheck: ["CMD", "/app", "health"],
    ...config,
  };
  const record: ImageRecord = {
    schemaVersion: 1,
    name: "x",
    digest,
    mediaType: MEDIA_TYPE.index,
    platforms: [platform],
    bases: [],
    buildArgs: {},
    variants: {},
  };
  return { store, record };
}
