// Idea 2: a record means that the image exists. A record may come from Nx's cache, on a machine that never built the image; here
// its bytes are found near, or made again.

import { rm } from "node:fs/promises";
import { relative } from "node:path";
import { storeFolder } from "@waybill/engine/home";
import { BlobStore } from "@waybill/oci/blobstore";
import { WaybillError } from "@waybill/oci/error";
import { Layout } from "@waybill/oci/layout";
import { type ImageRecord, type PlatformRecord, readRecord } from "@waybill/oci/record";
import { type Image, layoutFolder, recordFile } from "./image.ts";

export const store = (): BlobStore => new BlobStore(storeFolder());

/** The image's record. @throws {WaybillError} it was never built */
export const recordOfImage = (image: Image): Promise<ImageRecord> => readRecord(recordFile(image));

/** Whether every blob of the image, variants too, lies in the store at its full size. Reads no blob. */
export async function hasBytes(record: ImageRecord, blobs = store()): Promise<boolean> {
  const images = [record, ...Object.values(record.variants)];
  for (const { digest, platforms } of images) {
    if (!(await blobs.has(digest))) return false;
    for (const platform of platforms) if (!(await hasPlatform(platform, blobs))) return false;
  }
  return true;
}

async function hasPlatform({ digest, config, layers }: PlatformRecord, blobs: BlobStore): Promise<boolean> {
  const found = await Promise.all([
    blobs.has(digest),
    blobs.has(config),
    ...layers.map((layer) => blobs.has(layer.digest, layer.size)),
  ]);
  return found.every(Boolean);
}

/**
 * Makes sure that the bytes a record names are in the store and that the image's layout shows them.
 * @returns `fetched` where they came from the remote cache, `rebuilt` where they had to be made again
 * @throws {WaybillError} the rebuilt image is another one: then the record was of something this folder does not give
 */
export async function ensureBytes(image: Image, record: ImageRecord): Promise<"near" | "fetched" | "rebuilt"> {
  const found = (await hasBytes(record)) ? "near" : await makeBytes(image, record);
  await showLayout(image, record);
  return found;
}

async function makeBytes(image: Image, record: ImageRecord): Promise<"fetched" | "rebuilt"> {
  const { bringBytes } = await import("./fetch-bytes.ts");
  if (await bringBytes(image, record)) return "fetched";
  const { buildImage } = await import("./build.ts");
  const platforms = record.platforms.map(({ platform }) => platform);
  const again = await buildImage(image, { keepRecord: true, platforms, variants: Object.keys(record.variants) });
  if (again.digest === record.digest) return "rebuilt";
  const { differencesOf } = await import("./differences.ts");
  const differences = await differencesOf(store(), record, again);
  throw new WaybillError(`${image.name} was rebuilt to ${again.digest}, its record says ${record.digest}`, {
    where: relative(process.cwd(), recordFile(image)),
    mend: `${differences[0]}; \`./nx run ${image.name}:reproduce\` tells whether it comes out the same at all`,
  });
}

/** Writes the image's own layout, a view of the store: `dist/layout`, for every tool that reads OCI layouts. */
export async function showLayout(image: Image, record: ImageRecord): Promise<void> {
  const layout = await Layout.create(layoutFolder(image), store());
  const images = { latest: record.digest, ...mapValues(record.variants, (variant) => variant.digest) };
  for (const [refName, digest] of Object.entries(images)) {
    const size = await layout.blobs.size(digest);
    if (size === undefined) throw new WaybillError(`${digest} is not in the store`, { where: layout.folder });
    if ((await layout.find(refName))?.digest === digest) continue;
    await layout.add({ mediaType: record.mediaType, digest, size }, refName);
  }
}

/** Takes the view away, where the store doesn't have what it should show. */
export const hideLayout = (image: Image): Promise<void> => rm(layoutFolder(image), { recursive: true, force: true });

const mapValues = <T, R>(record: Record<string, T>, change: (value: T) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
