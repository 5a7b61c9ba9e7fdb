// What `waybill diff` compares: an image of this repo, a record, a reference, or all images of a checkout.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { findImages, readableImages, recordFile, recordOfImage, store } from "@waybill/image";
import { remoteRecord } from "@waybill/image/remote-record";
import { type ImageRecord, WaybillError, readRecord } from "@waybill/oci";

/** Records by image; several for a checkout. */
export interface DiffSide {
  kind: "checkout" | "image";
  records: Map<string, ImageRecord>;
}

/** @throws {WaybillError} it is none of them, or was never built */
export async function diffSide(text: string): Promise<DiffSide> {
  if (existsSync(join(text, "images"))) return { kind: "checkout", records: await recordsOf(text) };
  const record = await recordOfText(text);
  return { kind: "image", records: new Map([[record.name, record]]) };
}

async function recordOfText(text: string): Promise<ImageRecord> {
  if (existsSync(text) && statSync(text).isFile()) return await readRecord(text);
  const image = (await readableImages()).get(text);
  if (image !== undefined) return await recordOfImage(image);
  if (/[/:@]/.test(text)) return await remoteRecord(store(), text);
  throw new WaybillError(`"${text}" is no image of this repo, no record, no reference and no checkout`, {
    mend: "npx waybill diff --help",
  });
}

/** Of what was built there: an image without a record is one that the checkout does not have yet. */
async function recordsOf(root: string): Promise<Map<string, ImageRecord>> {
  const records = new Map<string, ImageRecord>();
  for (const [name, image] of await findImages(root)) {
    if (existsSync(recordFile(image))) records.set(name, await recordOfImage(image));
  }
  if (records.size > 0) return records;
  throw new WaybillError("nothing was built there", { where: root, mend: "./nx run-many -t docker-build" });
}
