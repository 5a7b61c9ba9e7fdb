// Carries out what plan.ts planned: an image at a time, its blobs first, its name last. Broken off, it leaves nothing that names an
// incomplete image; run again, it goes on, as what is there isn't sent again.

import type { Readable } from "node:stream";
import {
  type Descriptor,
  type Digest,
  WaybillError,
  canonicalJson,
  compareText,
  mapLimit,
  parseDocument,
  splitDigest,
} from "@waybill/oci";
import { RegistryError } from "@waybill/oci/registry";
import type { LockedReferrer } from "../lock.ts";
import type { Bundle } from "../read/open.ts";
import type { Destination } from "./destination.ts";
import type { BlobPlan, ImagePlan, RestorePlan } from "./plan.ts";

/** Blobs under way at a time. */
const PARALLEL = 4;

export interface RestoreOptions {
  /** The bundle that this one is a delta to, where the destination lacks its blobs. */
  baseline?: Bundle | undefined;
  onBlob?: ((blob: BlobPlan, outcome: "exists" | "mounted" | "uploaded") => void) | undefined;
  onImage?: ((image: ImagePlan) => void) | undefined;
  /** Called as bytes are read for sending, with their number. */
  onBytes?: ((count: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** @param plan one that `assertPossible` let pass */
export async function restore(
  bundle: Bundle,
  plan: RestorePlan,
  destination: Destination,
  options: RestoreOptions = {},
): Promise<void> {
  for (const image of plan.images) {
    if (image.action === "skip") continue;
    await new Restoring(bundle, image, destination, options).run();
    options.onImage?.(image);
  }
}

class Restoring {
  readonly #bundle: Bundle;
  readonly #image: ImagePlan;
  readonly #destination: Destination;
  readonly #options: RestoreOptions;

  constructor(bundle: Bundle, image: ImagePlan, destination: Destination, options: RestoreOptions) {
    this.#bundle = bundle;
    this.#image = image;
    this.#destination = destination;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { repository, manifests, joined, blobs } = this.#image;
    const { client } = this.#destination;
    await mapLimit(blobs, PARALLEL, (blob) => this.#blob(blob));
    for (const { action, ...manifest } of manifests) {
      this.#options.signal?.throwIfAborted();
      if (action === "send") await this.#manifest(manifest, await this.#bundle.read(manifest), manifest.digest);
    }
    if (joined !== undefined) await client.putManifest(repository, joined.digest, joined.mediaType, joined.bytes);
    await this.#listReferrers();
    await this.#tag();
  }

  async #blob(blob: BlobPlan): Promise<void> {
    this.#options.signal?.throwIfAborted();
    const { digest, size, action, from } = blob;
    const { client } = this.#destination;
    const source = { digest, size, open: () => this.#open(blob) };
    const outcome =
      action === "keep" ? "exists" : await client.blobs.upload(this.#image.repository, source, from).catch(explain);
    this.#options.onBlob?.(blob, outcome);
  }

  /** A blob to "take" that the registry would not take itself goes through us. */
  #open({ digest, size, action, from }: BlobPlan): Readable {
    if (action === "take" && from !== undefined) return this.#destination.client.blobs.get(from, digest, size);
    const holder = this.#bundle.blobs.has(digest) ? this.#bundle : this.#options.baseline;
    const stream = (holder ?? this.#bundle).stream(digest);
    const { onBytes } = this.#options;
    if (onBytes !== undefined) stream.on("data", (chunk: Buffer) => onBytes(chunk.length)).pause();
    return stream;
  }

  async #manifest({ mediaType, digest }: Descriptor, bytes: Buffer, reference: string): Promise<void> {
    const { repository, sparse } = this.#image;
    await this.#destination.client.putManifest(repository, reference, mediaType, bytes).catch((error: unknown) => {
      const isIndex = parseDocument(bytes, digest).kind === "index";
      throw isIndex && sparse && isRefusal(error) ? incomplete(this.#image, error) : explained(error);
    });
  }

  /** Registries that don't list referrers themselves have them listed under a tag (distribution-spec, "Referrers Tag Schema"). */
  async #listReferrers(): Promise<void> {
    const { repository, referrers } = this.#image;
    const { client } = this.#destination;
    for (const subject of new Set(referrers.map((each) => each.subject))) {
      const listed = await client.listReferrers(repository, subject);
      const ours = referrers.filter((each) => each.subject === subject);
      const news = ours.filter(({ digest }) => !listed.some((each) => each.digest === digest));
      if (news.length === 0) continue;
      const added = await Promise.all(news.map((each) => this.#describe(each)));
      const manifests = [...listed, ...added].sort((a, b) => compareText(a.digest, b.digest));
      const mediaType = "application/vnd.oci.image.index.v1+json";
      const bytes = Buffer.from(canonicalJson({ schemaVersion: 2, mediaType, manifests }));
      const { algorithm, hex } = splitDigest(subject);
      await client.putManifest(repository, `${algorithm}-${hex.slice(0, 64)}`, mediaType, bytes);
    }
  }

  async #describe({ mediaType, digest, size, artifactType }: LockedReferrer): Promise<Descriptor> {
    const document = parseDocument(await this.#bundle.read({ digest, size }), digest);
    const { annotations } = document.kind === "index" ? document.index : document.manifest;
    return { mediaType, digest, size, ...(artifactType && { artifactType }), ...(annotations && { annotations }) };
  }

  /** Asks again right before: someone may have moved the tag meanwhile. The protocol has no compare-and-swap. */
  async #tag(): Promise<void> {
    const { repository, tag, action, joined, current, digest, manifests } = this.#image;
    if (tag === undefined || action === "keep") return;
    const { client } = this.#destination;
    const now = (await client.headManifest(repository, tag))?.digest;
    if (now === digest) return;
    if (now !== current)
      throw new WaybillError(`${repository}:${tag} was changed meanwhile, to ${now ?? "nothing"}`, {
        where: this.#destination.label,
        mend: "run it again",
      });
    const root = joined ?? manifests.find((each) => each.digest === digest);
    if (root === undefined) throw new Error(`${digest} is not of this plan`);
    await this.#manifest(root, joined?.bytes ?? (await this.#bundle.read(root)), tag);
  }
}

const UNKNOWN = new Set(["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "MANIFEST_INVALID", "BLOB_UNKNOWN"]);

function isRefusal(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.codes.some((code) => UNKNOWN.has(code));
}

function incomplete({ reference }: ImagePlan, cause: RegistryError): WaybillError {
  const mend = "restore with --trim, or archive with --all-platforms";
  return new WaybillError("the registry takes no index with platforms missing", { where: reference, mend, cause });
}

function explain(error: unknown): never {
  throw explained(error);
}

function explained(error: unknown): unknown {
  if (!(error instanceof RegistryError) || error.status !== 405) return error;
  return error.withMend("a mirror takes upstreams' images from bundles without --to, on its own machine");
}

/** Bytes that a plan would send. */
export function bytesToSend({ images }: RestorePlan): number {
  const blobs = images.flatMap((image) => image.blobs).filter(({ action }) => action === "send");
  return sumOnce(blobs);
}

/** A blob that several repositories get goes over the wire once, where the registry mounts. */
function sumOnce(blobs: readonly { digest: Digest; size: number }[]): number {
  return [...new Map(blobs.map(({ digest, size }) => [digest, size])).values()].reduce((sum, size) => sum + size, 0);
}
