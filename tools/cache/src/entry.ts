// A cached task as an OCI artifact (image-spec v1.1, "Guidelines for Artifact Usage"): an empty config, Nx's tarball as the one
// layer, and annotations that tell people and `waybill cache` what it is of.

import type { KeyObject } from "node:crypto";
import { canonicalJson } from "@waybill/oci/canonical";
import type { Descriptor } from "@waybill/oci/descriptor";
import { type Digest, digestOf, isDigest } from "@waybill/oci/digest";
import { check, parseJson } from "@waybill/oci/document";
import { WaybillError } from "@waybill/oci/error";
import { manifestSchema } from "@waybill/oci/manifest";
import { MEDIA_TYPE } from "@waybill/oci/mediatype";
import { z } from "zod";
import { isSigned, signClaim } from "./signature.ts";

export const ARTIFACT_TYPE = "application/vnd.waybill.nx-cache.entry.v1";
const LAYER_TYPE = `${ARTIFACT_TYPE}.tar+gzip`;

/** Up to this size (bytes) the tarball is in the manifest too (image-spec, "Embedded Content"): a hit is one request less. */
const EMBEDDED_BYTES = 64 * 1024;

const NAME = "dev.waybill.cache.";
const CREATED = "org.opencontainers.image.created";
const REVISION = "org.opencontainers.image.revision";

/** The config of an artifact that has none. */
export const EMPTY = Buffer.from("{}");
const EMPTY_CONFIG = { mediaType: MEDIA_TYPE.empty, digest: digestOf(EMPTY), size: EMPTY.length, data: "e30=" };

/** What is known of the task. */
export interface EntryFacts {
  /** Nx's. */
  hash: string;
  project?: string | undefined;
  target?: string | undefined;
  /** The commit it ran on. */
  revision?: string | undefined;
  /** ISO 8601. */
  created?: string | undefined;
  /** Of the image that the task built. */
  image?: Digest | undefined;
}

export interface Entry {
  facts: EntryFacts;
  tarball: Descriptor;
  /** Of the tarball, where the manifest has it. */
  embedded: Buffer | undefined;
  signature: string | undefined;
}

/** The manifest of an entry, signed where there is a key. */
export function writeEntry(facts: EntryFacts, tarball: Uint8Array, key?: KeyObject): string {
  const digest = digestOf(tarball);
  const data = tarball.length > EMBEDDED_BYTES ? {} : { data: Buffer.from(tarball).toString("base64") };
  return canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    artifactType: ARTIFACT_TYPE,
    config: EMPTY_CONFIG,
    layers: [{ mediaType: LAYER_TYPE, digest, size: tarball.length, ...data }],
    annotations: {
      [CREATED]: facts.created,
      [REVISION]: facts.revision,
      [`${NAME}hash`]: facts.hash,
      [`${NAME}project`]: facts.project,
      [`${NAME}target`]: facts.target,
      [`${NAME}image`]: facts.image,
      [`${NAME}signature`]: key && signClaim({ hash: facts.hash, digest }, key),
    },
  });
}

const dataSchema = z.object({ layers: z.tuple([z.object({ data: z.base64().optional() })]) });

/** @throws {WaybillError} the manifest is no entry */
export function readEntry(bytes: Uint8Array, where: string): Entry {
  const json = parseJson(bytes, where);
  const { artifactType, layers, annotations = {} } = check(manifestSchema, json, where);
  const [tarball] = layers;
  if (artifactType !== ARTIFACT_TYPE || tarball?.mediaType !== LAYER_TYPE) {
    throw new WaybillError("not an entry of a Waybill cache", { where });
  }
  const [{ data }] = check(dataSchema, json, where).layers;
  const image = annotations[`${NAME}image`];
  return {
    facts: {
      hash: annotations[`${NAME}hash`] ?? "",
      project: annotations[`${NAME}project`],
      target: annotations[`${NAME}target`],
      revision: annotations[REVISION],
      created: annotations[CREATED],
      image: image !== undefined && isDigest(image) ? image : undefined,
    },
    tarball,
    embedded: data === undefined ? undefined : Buffer.from(data, "base64"),
    signature: annotations[`${NAME}signature`],
  };
}

/** @throws {WaybillError} the entry is another task's, or none of the keys signed it */
export function assertGenuine({ facts, tarball, signature }: Entry, hash: string, keys: readonly KeyObject[]): void {
  if (facts.hash !== hash) throw new WaybillError(`entry of another task (${facts.hash.slice(0, 40)})`);
  if (keys.length > 0 && !isSigned({ hash, digest: tarball.digest }, signature, keys)) {
    throw new WaybillError(signature === undefined ? "entry without a signature" : "entry with a wrong signature");
  }
}
