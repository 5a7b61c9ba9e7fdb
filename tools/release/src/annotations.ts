// What a release says of an image outside the image: annotations of an index of its own, over the very manifests that were tested
// (image-spec, "Pre-Defined Annotation Keys"; docs/decisions/0010-release-index.md). A pure function of the record, the version and
// the commit, so that a release that is repeated gives the same digest.

import {
  type BlobStore,
  type Digest,
  type ImageRecord,
  MEDIA_TYPE,
  canonicalJson,
  digestOf,
  readIndex,
} from "@waybill/oci";

export interface ReleaseFacts {
  version: string;
  /** The commit, in full. */
  revision: string;
  /** Its date, RFC 3339. */
  created: string;
  /** "https://github.com/acme/images". */
  source: string | undefined;
  /** Beside these, such as what a patch mends. */
  more?: Readonly<Record<string, string>> | undefined;
}

export interface ReleaseIndex {
  mediaType: string;
  digest: Digest;
  size: number;
  bytes: Buffer;
}

/** @param store holds the tested index */
export async function releaseIndex(store: BlobStore, record: ImageRecord, facts: ReleaseFacts): Promise<ReleaseIndex> {
  const { manifests } = await readIndex(store, record.digest);
  const annotations = annotationsOf(record, facts);
  const text = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests, annotations });
  const bytes = Buffer.from(text);
  return { mediaType: MEDIA_TYPE.index, digest: digestOf(bytes), size: bytes.length, bytes };
}

function annotationsOf({ name, bases }: ImageRecord, { version, revision, created, source, more }: ReleaseFacts) {
  const [base] = bases;
  const key = (of: string): string => `org.opencontainers.image.${of}`;
  return {
    ...(base === undefined ? {} : { [key("base.digest")]: base.digest, [key("base.name")]: base.reference }),
    [key("created")]: created,
    [key("revision")]: revision,
    ...(source === undefined ? {} : { [key("source")]: source }),
    [key("title")]: name,
    [key("version")]: version,
    ...more,
  };
}
