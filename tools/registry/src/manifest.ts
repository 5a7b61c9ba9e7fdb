// Manifests as a registry sees them: an exact run of bytes, and what those bytes point at.

import { parseDocument } from "@waybill/oci/document";
import type { Document } from "@waybill/oci/document";
import type { Descriptor } from "@waybill/oci/descriptor";
import { messageOf } from "@waybill/oci/error";
import { INDEX_MEDIA_TYPES, isDistributable, MANIFEST_MEDIA_TYPES, MEDIA_TYPE } from "@waybill/oci/mediatype";

export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

export interface ReadManifest {
  mediaType: string;
  /** Config and layers that registries keep; each must be here before the manifest is. */
  blobs: Descriptor[];
  /** The manifests of an index. They may be missing: an index may be kept for some of its platforms only. */
  children: Descriptor[];
  subject: Descriptor | undefined;
  artifactType: string | undefined;
  annotations: Record<string, string> | undefined;
}

/**
 * @param contentType what the sender says it is, parameters included
 * @throws {Error} one line: what is wrong with it
 */
export function readManifest(bytes: Uint8Array, contentType: string | undefined, where: string): ReadManifest {
  const document = parse(bytes, where);
  const content = document.kind === "index" ? document.index : document.manifest;
  const said = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  const types = document.kind === "index" ? INDEX_MEDIA_TYPES : MANIFEST_MEDIA_TYPES;
  // A document that does not say what it is (OCI's may be silent) is what its sender calls it; never "text/html".
  const mediaType = content.mediaType ?? types.find((type) => type === said) ?? MEDIA_TYPE[document.kind];
  const vague = content.mediaType === undefined ? !isManifestType(said) : VAGUE.has(said);
  if (!vague && said !== mediaType) throw new Error(`Content-Type is ${said}, but the document is ${mediaType}`);
  return {
    mediaType,
    blobs: document.kind === "index" ? [] : blobsOf(document),
    children: document.kind === "index" ? document.index.manifests : [],
    subject: content.subject,
    artifactType:
      content.artifactType ?? (document.kind === "manifest" ? document.manifest.config.mediaType : undefined),
    annotations: content.annotations,
  };
}

/** What senders write who don't say. */
const VAGUE = new Set(["", "application/octet-stream"]);

function isManifestType(text: string): boolean {
  return INDEX_MEDIA_TYPES.includes(text) || MANIFEST_MEDIA_TYPES.includes(text);
}

function parse(bytes: Uint8Array, where: string): Document {
  try {
    return parseDocument(bytes, where);
  } catch (error) {
    // A document nested so deep that no reader can follow it is a RangeError.
    throw new Error(messageOf(error), { cause: error });
  }
}

function blobsOf({ manifest }: Extract<Document, { kind: "manifest" }>): Descriptor[] {
  return [manifest.config, ...manifest.layers].filter(({ mediaType }) => isDistributable(mediaType));
}

/** The descriptor by which a subject's list of referrers names a manifest (distribution-spec, "Listing Referrers"). */
export function referrerOf(read: ReadManifest, { digest, size }: Pick<Descriptor, "digest" | "size">): Descriptor {
  const { mediaType, artifactType, annotations } = read;
  return { mediaType, digest, size, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
}
