// The record of an image, `images/<name>/dist/image.json`: what Nx caches in place of the image's bytes. A pure function of the
// image: no time stamps, paths, host or engine, so the same image gives the same file anywhere.

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { writeFileAtomic } from "./atomic.ts";
import { digestSchema } from "./descriptor.ts";
import { check, parseJson } from "./document.ts";
import { WaybillError } from "./error.ts";

const bytes = z.int().nonnegative();

const layerRecordSchema = z.strictObject({
  digest: digestSchema,
  mediaType: z.string(),
  size: bytes.meta({ description: "Bytes as stored and sent" }),
  unpackedSize: bytes.meta({ description: "Bytes of the layer's tar" }),
  createdBy: z
    .string()
    .meta({ description: "The build step that made the layer; empty where the image does not tell" }),
});

const platformRecordSchema = z.strictObject({
  platform: z.string().meta({ description: "os/architecture[/variant]" }),
  digest: digestSchema.meta({ description: "Of the platform's manifest" }),
  config: digestSchema,
  size: bytes.meta({ description: "Bytes of all layers as stored and sent" }),
  unpackedSize: bytes.meta({ description: "Bytes of all layers' tars" }),
  layers: z.array(layerRecordSchema).meta({ description: "Bottom first" }),
  user: z.string().meta({ description: "Empty means root" }),
  entrypoint: z.array(z.string()),
  cmd: z.array(z.string()),
  exposedPorts: z.array(z.string()).meta({ description: "port/protocol, sorted by port" }),
  healthcheck: z.array(z.string()).meta({ description: "As in CMD, program, arguments; empty where there is none" }),
});

const baseRecordSchema = z.strictObject({ reference: z.string(), digest: digestSchema });

const variantRecordSchema = z.strictObject({ digest: digestSchema, platforms: z.array(platformRecordSchema) });

export const recordSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: z.string(),
    digest: digestSchema.meta({ description: "Of the image's index: what is tested, pushed and pinned" }),
    mediaType: z.string(),
    platforms: z.array(platformRecordSchema),
    bases: z.array(baseRecordSchema).meta({ description: "The images it was built from" }),
    buildArgs: z.record(z.string(), z.string()),
    variants: z.record(z.string(), variantRecordSchema),
  })
  .meta({ title: "Waybill image record", description: "dist/image.json of an image" });

export type LayerRecord = z.infer<typeof layerRecordSchema>;
export type PlatformRecord = z.infer<typeof platformRecordSchema>;
export type BaseRecord = z.infer<typeof baseRecordSchema>;
export type VariantRecord = z.infer<typeof variantRecordSchema>;
export type ImageRecord = z.infer<typeof recordSchema>;

/** The file's text. Keys come in the schema's order, so equal records are equal bytes. */
export function serialiseRecord(record: ImageRecord): string {
  return `${JSON.stringify(recordSchema.parse(record), undefined, 2)}\n`;
}

/** Replaces the record in one step: a build that is killed leaves the last good one. */
export async function writeRecord(file: string, record: ImageRecord): Promise<void> {
  await writeFileAtomic(file, serialiseRecord(record));
}

/** @throws {WaybillError} the file is missing, or is no record of a kind this version reads */
export async function readRecord(file: string): Promise<ImageRecord> {
  const mend = "run the image's docker-build target";
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WaybillError(`no image record (${cause.code})`, { where: file, mend, cause });
  });
  return check(recordSchema, parseJson(text, file, mend), file, mend);
}
