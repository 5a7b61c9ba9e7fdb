// Where an image that goes into a bundle comes from: a registry, or the store of this machine.

import { type Readable, pipeline } from "node:stream";
import {
  type BlobStore,
  type Descriptor,
  type Digest,
  INDEX_MEDIA_TYPES,
  MANIFEST_MEDIA_TYPES,
  MEDIA_TYPE,
  type Reference,
  WaybillError,
  formatReference,
  parseDocument,
  verifying,
} from "@waybill/oci";
import type { RegistryClient } from "@waybill/oci/registry";

/** Configs are read into memory, like manifests. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;

export interface ImageSource {
  /** What upstream calls the image: so it is named in the bundle. */
  readonly reference: Reference;
  /** What the reference names now. @throws {WaybillError} there is no such image */
  root(): Promise<Descriptor>;
  /** A manifest, or a config; verified. */
  document(descriptor: Descriptor): Promise<Uint8Array>;
  /** A blob's bytes; the stream fails where they are not what the descriptor says. */
  open(blob: Descriptor): Readable;
  /** What refers to a manifest: signatures, bills of materials. */
  referrers(digest: Digest): Promise<Descriptor[]>;
}

/** @param repository what the image is called there: through a mirror it has upstream's host before it */
export function fromRegistry(client: RegistryClient, repository: string, reference: Reference): ImageSource {
  const where = `${client.registry}/${repository}`;
  const manifest = async (name: string): Promise<Descriptor & { bytes: Buffer }> => {
    const found = await client.getManifest(repository, name);
    if (found !== undefined) return found;
    throw new WaybillError("the registry has no such image", { where: `${where} ${name}` });
  };
  const open = ({ digest, size }: Descriptor): Readable => client.blobs.get(repository, digest, size);
  return {
    reference,
    async root() {
      const { bytes, digest } = await manifest(reference.digest ?? reference.tag ?? "latest");
      return rootOf(bytes, digest);
    },
    async document(descriptor) {
      if (!isManifest(descriptor)) return await bytesOf(open(descriptor), descriptor);
      const { bytes } = await manifest(descriptor.digest);
      if (bytes.length === descriptor.size) return bytes;
      throw new WaybillError(`the manifest has ${bytes.length} bytes, not ${descriptor.size}`, { where });
    },
    open,
    referrers: (digest) => client.listReferrers(repository, digest),
  };
}

/** An image whose bytes are in the machine's store: one of this repo. */
export function fromStore(store: BlobStore, digest: Digest, reference: Reference): ImageSource {
  return {
    reference,
    root: async () => rootOf(await store.read(digest), digest),
    document: (descriptor) => store.read(descriptor.digest),
    // `pipeline` hands errors on to the stream it returns.
    open: (blob) => pipeline(store.readStream(blob.digest), verifying(blob.digest, blob.size), () => {}),
    referrers: () => Promise.resolve([]),
  };
}

/** "ghcr.io/acme/api": what the lock calls the repository. */
export const repositoryName = ({ registry, repository }: Reference): string => `${registry}/${repository}`;

/** A reference as a lock has it: with the tag that is meant where none is written. */
export function lockedReference(reference: Reference): string {
  const { tag, digest } = reference;
  return formatReference(tag === undefined && digest === undefined ? { ...reference, tag: "latest" } : reference);
}

const isManifest = ({ mediaType }: Descriptor): boolean =>
  INDEX_MEDIA_TYPES.includes(mediaType) || MANIFEST_MEDIA_TYPES.includes(mediaType);

/** The descriptor of a manifest, from its bytes alone: what a registry says of its type may be wrong. */
export function rootOf(bytes: Uint8Array, digest: Digest): Descriptor {
  const document = parseDocument(bytes, digest);
  const said = document.kind === "index" ? document.index.mediaType : document.manifest.mediaType;
  return { mediaType: said ?? MEDIA_TYPE[document.kind], digest, size: bytes.length };
}

/** What a manifest is, beside an image (image-spec, "Guidelines for Artifact Usage"). */
export function artifactTypeOf(bytes: Uint8Array, where: string): string | undefined {
  const document = parseDocument(bytes, where);
  if (document.kind === "index") return document.index.artifactType;
  return document.manifest.artifactType ?? document.manifest.config.mediaType;
}

async function bytesOf(stream: Readable, { digest, size }: Descriptor): Promise<Buffer> {
  if (size > MAX_DOCUMENT_BYTES)
    throw new WaybillError(`${size} bytes are too many for an image's config`, { where: digest });
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}
