// Manifests and tags of upstreams: what isn't here is asked for, once for all who wait; what is here goes on being served whatever
// becomes of the upstream. Tags are asked about again after a time; digests never.

import { isDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import type { Descriptor } from "@waybill/oci/descriptor";
import { messageOf } from "@waybill/oci/error";
import type { FetchedManifest } from "@waybill/oci/registry";
import { isDiskFull } from "../api/disk-full.ts";
import { manifestUnknown, nameUnknown, Problem, unavailable } from "../api/problem.ts";
import type { HeldImage } from "../image.ts";
import { heldImage } from "../image.ts";
import type { Log } from "../log.ts";
import { readManifest, referrerOf } from "../manifest.ts";
import { formatName } from "../name.ts";
import type { Repository, Tag } from "../store/repository.ts";
import type { Store } from "../store/store.ts";
import { unlessMissing } from "./missing.ts";
import { Once } from "./once.ts";
import type { UpstreamName, Upstreams } from "./upstreams.ts";

export class UpstreamImages {
  readonly #store: Store;
  readonly #upstreams: Upstreams;
  readonly #log: Log;
  readonly #tags = new Once<HeldImage>();
  readonly #manifests = new Once<HeldImage>();

  constructor(store: Store, upstreams: Upstreams, log: Log) {
    this.#store = store;
    this.#upstreams = upstreams;
    this.#log = log;
  }

  /** A manifest by tag or digest. @param anew asks what a tag names now, however lately that was asked @throws {Problem} */
  async get(name: UpstreamName, reference: string, anew = false): Promise<HeldImage> {
    const repository = this.#store.repository(name);
    if (isDigest(reference)) return await this.#byDigest(name, repository, reference);
    const tag = await repository.tag(reference);
    const { revalidateAfter } = this.#upstreams.of(name.upstream).config;
    const fresh = !anew && tag !== undefined && Date.now() - (tag.checked ?? 0) < revalidateAfter;
    const held = fresh ? await heldImage(this.#store, repository, tag.digest) : undefined;
    if (held !== undefined) return held;
    return await this.#tags.run(`${formatName(name)}:${reference}`, () => this.#ask(name, repository, reference, tag));
  }

  /** The upstream's tags; what is here, where it can't be asked. @throws {Problem} 404 where there are none */
  async tags(name: UpstreamName): Promise<{ tags: string[]; stale: boolean }> {
    const held = await this.#store.repository(name).tags();
    try {
      const tags = await this.#upstreams.of(name.upstream).ask((client) => client.listTags(name.repository));
      if (tags.length === 0 && held.length === 0) throw nameUnknown(formatName(name));
      return { tags: [...new Set(tags)].sort(), stale: false };
    } catch (error) {
      if (held.length === 0 || isMissing(error)) throw error;
      return { tags: held, stale: true };
    }
  }

  /** What refers to a manifest; what is here, where the upstream can't be asked. */
  async referrers(name: UpstreamName, subject: Digest): Promise<{ referrers: Descriptor[]; stale: boolean }> {
    try {
      const upstream = this.#upstreams.of(name.upstream);
      const answer = await unlessMissing(upstream.ask((client) => client.listReferrers(name.repository, subject)));
      return { referrers: answer ?? [], stale: false };
    } catch {
      return { referrers: await this.#store.repository(name).referrers(subject), stale: true };
    }
  }

  async #byDigest(name: UpstreamName, repository: Repository, digest: Digest): Promise<HeldImage> {
    const held = await heldImage(this.#store, repository, digest);
    if (held) return held;
    return await this.#manifests.run(`${formatName(name)}@${digest}`, () => this.#fetch(name, repository, digest));
  }

  /** Asks the upstream what a tag names now. */
  async #ask(name: UpstreamName, repository: Repository, tag: string, known: Tag | undefined): Promise<HeldImage> {
    try {
      if (known === undefined) return await this.#fetch(name, repository, tag);
      const head = await this.#upstreams.of(name.upstream).ask((client) => client.headManifest(name.repository, tag));
      if (head === undefined) throw manifestUnknown(tag);
      const image = await this.#byDigest(name, repository, head.digest);
      const set = head.digest === known.digest ? known.set : Date.now();
      await this.#setTag(repository, tag, { digest: head.digest, set, checked: Date.now() });
      return { ...image, from: image.from === "hit" ? "revalidated" : "miss" };
    } catch (error) {
      return await this.#stale(repository, tag, known, error);
    }
  }

  /** What the tag named when the upstream could last be asked. A tag that the upstream says is gone is gone. */
  async #stale(repository: Repository, tag: string, known: Tag | undefined, error: unknown): Promise<HeldImage> {
    if (isMissing(error) && known) await repository.deleteTag(tag);
    const held = known && !isMissing(error) ? await heldImage(this.#store, repository, known.digest) : undefined;
    if (held === undefined) throw error;
    this.#log("warn", "stale", { tag, reason: messageOf(error) });
    return { ...held, from: "stale" };
  }

  /** Fetches a manifest and stores it. @throws {Problem} 404 where there is none */
  async #fetch(name: UpstreamName, repository: Repository, reference: string): Promise<HeldImage> {
    const upstream = this.#upstreams.of(name.upstream);
    const found = await upstream.ask((client) => client.getManifest(name.repository, reference));
    if (found === undefined) throw manifestUnknown(reference);
    const { mediaType } = understood(name, found);
    const image = { digest: found.digest, mediaType, bytes: found.bytes, from: "miss" as const };
    try {
      await this.#keep(name, repository, found);
    } catch (error) {
      // Who asked gets the answer, whether the disk takes it or not.
      if (!isDiskFull(error)) throw error;
      this.#log("error", "disk full", { repository: formatName(name) });
      return image;
    }
    if (!isDigest(reference)) {
      await this.#setTag(repository, reference, { digest: found.digest, set: Date.now(), checked: Date.now() });
    }
    return image;
  }

  async #keep(name: UpstreamName, repository: Repository, { bytes, ...found }: FetchedManifest): Promise<void> {
    const read = understood(name, { bytes, ...found });
    const { digest, size } = found;
    await this.#store.vault.put(bytes, digest, false);
    await repository.addManifest(digest, { mediaType: read.mediaType, size, came: Date.now() });
    if (read.subject) await repository.addReferrer(read.subject.digest, referrerOf(read, { digest, size }));
  }

  async #setTag(repository: Repository, tag: string, record: Tag): Promise<void> {
    await repository.setTag(tag, record).catch((error: unknown) => {
      this.#log("error", "tag not stored", { tag, reason: messageOf(error) });
    });
  }
}

/** @throws {Problem} 502: what the upstream sent is no manifest */
function understood(
  { upstream }: UpstreamName,
  { bytes, mediaType }: FetchedManifest,
): ReturnType<typeof readManifest> {
  try {
    return readManifest(bytes, mediaType, upstream);
  } catch (error) {
    throw unavailable(502, `${upstream} sent no manifest: ${messageOf(error)}`, {}, error);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}
