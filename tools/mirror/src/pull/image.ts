// Brings one image into the mirror, by asking the mirror for it: so each blob comes once from its upstream, whoever else pulls, and
// only what is missing comes at all.

import { setTimeout as pause } from "node:timers/promises";
import type { Descriptor, Digest, Document, Reference } from "@waybill/oci";
import {
  INDEX_MEDIA_TYPES,
  WaybillError,
  formatPlatform,
  parseDocument,
  parseJson,
  platformSchema,
} from "@waybill/oci";
import { closureOf } from "@waybill/oci/registry";
import type { RegistryClient } from "@waybill/oci/registry";
import type { Holdings } from "@waybill/registry";
import { type Backend, type Located, locate, settingsFileOf } from "../backend/backend.ts";
import { clientOf } from "../backend/mirror.ts";
import { type Platforms, assertFits, choose } from "./choose.ts";
import type { Lanes } from "./lanes.ts";

/** What the mirror and its upstreams can't do now, they can't do in a moment either; the mirror has asked twice already. */
const RETRY = { attempts: 3, pauseMs: 300, maxPauseMs: 2_000 };
/** The mirror keeps a blob once its last byte has gone out; its disk may be slow. */
const KEPT_WITHIN_MS = 60_000;
const LOOK_MS = 50;

export interface Target {
  backend: Backend;
  /** What the mirror holds, where that can be read: what is here is not moved again. */
  holdings: Holdings | undefined;
  lanes: Lanes;
  signal: AbortSignal | undefined;
  /** So many bytes of blobs have come. */
  onBytes(count: number): void;
  /** Told before blobs are fetched, if there are any. */
  onPlan(reference: Reference, plan: { blobs: number; size: number }): void;
}

export interface Brought {
  digest: Digest;
  /** What the tag named here before, if that was another image. */
  before?: Digest;
  /** Nothing was missing. */
  held: boolean;
  /** The upstream can't be asked: this is what it last said. */
  stale: boolean;
  /** Bytes that came. */
  moved: number;
}

/** @throws {WaybillError} why it can't be had */
export async function bringImage(target: Target, reference: Reference, platforms: Platforms): Promise<Brought> {
  const located = locate(target.backend, reference);
  if (located === undefined)
    throw new WaybillError(`${reference.registry} is not among the mirror's upstreams`, {
      mend: `add it to "upstreams" of its ${settingsFileOf(target.backend)}${target.backend.name === "waybill" ? "" : ", and set it up again"}`,
    });
  return await new Bringing(target, reference, located).bring(platforms);
}

class Bringing {
  readonly #target: Target;
  readonly #reference: Reference;
  readonly #located: Located;
  readonly #client: RegistryClient;
  readonly #documents = new Map<Digest, Buffer>();
  #stale = false;
  #held = true;
  #moved = 0;

  constructor(target: Target, reference: Reference, located: Located) {
    this.#target = target;
    this.#reference = reference;
    this.#located = located;
    this.#client = clientOf(target.backend, located, {
      retry: RETRY,
      signal: target.signal,
      // What a tag names now, and not what it named when the mirror last asked.
      headers: { "cache-control": "no-cache" },
      onAnswer: (headers) => void (this.#stale ||= headers.get("warning")?.startsWith("110") ?? false),
    });
  }

  async bring(platforms: Platforms): Promise<Brought> {
    const { repository, digest: pinned, tag = "latest" } = this.#located;
    const before = pinned === undefined ? await this.#target.holdings?.tag(repository, tag) : undefined;
    // Not HEAD: an answer without a body has no room for why not.
    const root = await this.#client.getManifest(repository, pinned ?? tag);
    if (root === undefined) {
      const upstreamToo = this.#target.backend.hidesFaults ? ", and that the upstream answers" : "";
      throw new WaybillError("its registry has no such image", { mend: `check name and tag${upstreamToo}` });
    }
    this.#documents.set(root.digest, root.bytes);
    const manifests = await this.#manifests(root, platforms);
    if (platforms !== "all" && manifests.length === 1) await this.#checkPlatform(manifests[0]?.blobs[0], platforms);
    const blobs = new Map(manifests.flatMap((each) => each.blobs).map((blob) => [blob.digest, blob]));
    await this.#fetch(await this.#missing([...blobs.values()]));
    for (const { digest } of manifests)
      await this.#untilKept(async (holdings) => await holdings.hasManifest(repository, digest));
    return {
      digest: root.digest,
      ...(before !== undefined && before !== root.digest && { before }),
      held: this.#held && (pinned !== undefined || before === root.digest),
      stale: this.#stale,
      moved: this.#moved,
    };
  }

  /** The image's own index or manifest, and those below it that are wanted. */
  async #manifests(root: Descriptor, platforms: Platforms): Promise<{ digest: Digest; blobs: Descriptor[] }[]> {
    const document = await this.#document(root.digest);
    if (document.kind === "manifest") return [{ digest: root.digest, blobs: await this.#blobsOf(root) }];
    const found = [{ digest: root.digest, blobs: [] as Descriptor[] }];
    for (const child of choose(document.index, platforms)) {
      // An index below an index: what is wanted of it can't be told, so all of it is.
      if (INDEX_MEDIA_TYPES.includes(child.mediaType)) found.push(...(await this.#manifests(child, "all")));
      else found.push({ digest: child.digest, blobs: await this.#blobsOf(child) });
    }
    return found;
  }

  async #blobsOf(manifest: Descriptor): Promise<Descriptor[]> {
    return (await closureOf(manifest, async ({ digest }) => await this.#bytes(digest))).blobs;
  }

  async #document(digest: Digest): Promise<Document> {
    return parseDocument(await this.#bytes(digest), digest);
  }

  async #bytes(digest: Digest): Promise<Buffer> {
    const { repository } = this.#located;
    const here = await this.#target.holdings?.hasManifest(repository, digest);
    if (here !== true) this.#held = false;
    const bytes = this.#documents.get(digest) ?? (await this.#client.getManifest(repository, digest))?.bytes;
    if (bytes === undefined)
      throw new WaybillError(`its registry has lost ${digest}`, { mend: "whoever keeps it pushes it again" });
    this.#documents.set(digest, bytes);
    return bytes;
  }

  async #missing(blobs: readonly Descriptor[]): Promise<Descriptor[]> {
    const { holdings } = this.#target;
    if (holdings === undefined) return [...blobs];
    const missing = [];
    for (const blob of blobs)
      if (!(await holdings.hasBlob(this.#located.repository, blob.digest, blob.size))) missing.push(blob);
    return missing;
  }

  async #fetch(blobs: readonly Descriptor[]): Promise<void> {
    if (blobs.length === 0) return;
    this.#held = false;
    const size = blobs.reduce((sum, blob) => sum + blob.size, 0);
    this.#target.onPlan(this.#reference, { blobs: blobs.length, size });
    const outcomes = await Promise.allSettled(
      blobs.map((blob) => this.#target.lanes.run(blob.digest, () => this.#fetchOne(blob))),
    );
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #fetchOne({ digest, size }: Descriptor): Promise<void> {
    const { signal, holdings, onBytes } = this.#target;
    signal?.throwIfAborted();
    const { repository } = this.#located;
    // Another image brought it meanwhile.
    if (await holdings?.hasBlob(repository, digest, size)) return;
    for await (const chunk of this.#client.blobs.get(repository, digest, size) as AsyncIterable<Buffer>) {
      this.#moved += chunk.length;
      onBytes(chunk.length);
    }
    await this.#untilKept(async (held) => await held.hasBlob(repository, digest, size));
  }

  /** An image without an index says in its config alone what it is for. */
  async #checkPlatform(config: Descriptor | undefined, platforms: readonly string[]): Promise<void> {
    if (config === undefined || !/image(\.config)?\.v1\+json$/.test(config.mediaType)) return;
    const chunks = await Array.fromAsync(this.#client.blobs.get(this.#located.repository, config.digest, config.size));
    const { data } = platformSchema.safeParse(parseJson(Buffer.concat(chunks as Buffer[]), config.digest));
    if (data !== undefined) assertFits(formatPlatform(data), platforms);
  }

  /** A mirror whose disk is full serves what it can't keep. */
  async #untilKept(isKept: (holdings: Holdings) => Promise<boolean>): Promise<void> {
    const { holdings, signal } = this.#target;
    if (holdings === undefined) return;
    for (const end = Date.now() + KEPT_WITHIN_MS; !(await isKept(holdings)); await pause(LOOK_MS)) {
      signal?.throwIfAborted();
      if (Date.now() > end)
        throw new WaybillError("it came, but the mirror did not keep it", {
          mend: "is its disk full? npx waybill mirror status",
        });
    }
  }
}
