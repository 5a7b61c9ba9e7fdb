// Reads the JSON documents an image is made of. They come from engines and registries: each is checked at this boundary and is a
// type inside.

import { z } from "zod";
import type { BlobStore } from "./blobstore.ts";
import { configSchema } from "./config.ts";
import type { ImageConfig } from "./config.ts";
import type { Digest } from "./digest.ts";
import { messageOf, WaybillError } from "./error.ts";
import { indexSchema } from "./imageindex.ts";
import type { ImageIndex } from "./imageindex.ts";
import { manifestSchema } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { INDEX_MEDIA_TYPES, MANIFEST_MEDIA_TYPES } from "./mediatype.ts";

/** What a tag or a digest of an image may lead to. */
export type Document = { kind: "index"; index: ImageIndex } | { kind: "manifest"; manifest: Manifest };

/**
 * Reads a document as index or manifest, by its `mediaType` or, in documents without one, by its shape. A document that could be
 * both is refused: two readers would see two images (CVE-2021-41190).
 * @param where named in the error, e.g. the reference or the digest
 */
export function parseDocument(bytes: Uint8Array | string, where: string): Document {
  const json = parseJson(bytes, where);
  const { mediaType, manifests, layers, config } = check(shapeSchema, json, where);
  const isIndex = manifests !== undefined;
  const isManifest = layers !== undefined || config !== undefined;
  if (isIndex === isManifest)
    throw new WaybillError("neither an index nor a manifest of an image, or both at once", { where });
  const expected = isIndex ? INDEX_MEDIA_TYPES : MANIFEST_MEDIA_TYPES;
  if (mediaType !== undefined && !expected.includes(mediaType)) {
    throw new WaybillError(`media type ${mediaType} does not fit the document`, { where });
  }
  if (isIndex) return { kind: "index", index: check(indexSchema, json, where) };
  return { kind: "manifest", manifest: check(manifestSchema, json, where) };
}

const shapeSchema = z.object({
  mediaType: z.string().optional(),
  manifests: z.unknown().optional(),
  layers: z.unknown().optional(),
  config: z.unknown().optional(),
});

export async function readIndex(store: BlobStore, digest: Digest): Promise<ImageIndex> {
  const document = parseDocument(await store.read(digest), digest);
  if (document.kind === "index") return document.index;
  throw new WaybillError("an image manifest where an index was expected", { where: digest });
}

export async function readManifest(store: BlobStore, digest: Digest): Promise<Manifest> {
  const document = parseDocument(await store.read(digest), digest);
  if (document.kind === "manifest") return document.manifest;
  throw new WaybillError("an image index where a manifest was expected", { where: digest });
}

export async function readConfig(store: BlobStore, digest: Digest): Promise<ImageConfig> {
  return check(configSchema, parseJson(await store.read(digest), digest), digest);
}

/**
 * @throws {WaybillError} text that is no JSON. Only the place of the fault is told: the engine's own message quotes the text, and
 * credentials come through here.
 */
export function parseJson(bytes: Uint8Array | string, where: string, mend?: string): unknown {
  try {
    return JSON.parse(typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    const place = /line \d+ column \d+/.exec(messageOf(error))?.[0];
    throw new WaybillError(place === undefined ? "not valid JSON" : `not valid JSON at ${place}`, { where, mend });
  }
}

/** Checks data against a schema and names every problem at once. */
export function check<T>(schema: z.ZodType<T>, data: unknown, where: string, mend?: string): T {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join(".") || "document"}: ${message}`);
  throw new WaybillError(problems.join("; "), { where, mend, cause: result.error });
}
