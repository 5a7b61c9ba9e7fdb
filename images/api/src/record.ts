/** image.json, the record of one built image (design: image.json), and what the service adds to it. One schema validates and documents. */
import * as z from "zod";

/** PostgreSQL's jsonb holds neither NUL nor half a surrogate pair. */
const text = z
  .string()
  .max(65_536)
  .refine((value) => value.isWellFormed() && !value.includes("\0"), "well-formed Unicode without NUL");
const bytes = z.int().nonnegative().describe("Bytes");

export const ImageName = z
  .string()
  .max(128)
  .regex(/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/)
  .describe("Name of an image folder, such as api");

export const Digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .describe("OCI digest");

const MediaType = z
  .string()
  .max(255)
  .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i);

const Layer = z.strictObject({
  digest: Digest,
  mediaType: MediaType,
  size: bytes,
  unpackedSize: bytes,
  createdBy: text,
});

const Platform = z.strictObject({
  platform: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]+\/[a-z0-9]+(?:\/[a-z0-9]+)?$/)
    .describe("os/architecture[/variant]"),
  digest: Digest,
  config: Digest,
  size: bytes,
  unpackedSize: bytes,
  layers: z.array(Layer).max(512),
  user: text,
  entrypoint: z.array(text),
  cmd: z.array(text),
  exposedPorts: z.array(text),
  healthcheck: z.array(text),
});

const Variant = z.strictObject({ digest: Digest, platforms: z.array(Platform).max(32) });

export const ImageRecord = z
  .strictObject({
    schemaVersion: z.literal(1),
    name: ImageName,
    digest: Digest,
    mediaType: MediaType,
    platforms: z.array(Platform).min(1).max(32),
    bases: z.array(z.strictObject({ reference: text, digest: Digest })).max(64),
    buildArgs: z.record(text, text),
    variants: z.record(text, Variant),
  })
  .describe("image.json: the record of one built image");
export type ImageRecord = z.infer<typeof ImageRecord>;

export const Entry = z
  .strictObject({
    name: ImageName,
    digest: Digest,
    recordedAt: z.iso.datetime().describe("When the record first arrived"),
    record: ImageRecord,
  })
  .describe("A record as it is kept");
export type Entry = z.infer<typeof Entry>;

const next = z.string().nullable().describe("Give it as `cursor` for the next page; null: this is the last");

export const LatestPage = z
  .strictObject({ images: z.array(Entry), next })
  .describe("The latest record of each image, by name");
export const HistoryPage = z
  .strictObject({ records: z.array(Entry), next })
  .describe("The records of one image, newest first");
