// Blobs of upstreams: one download for all who wait, streamed to them as it comes, and kept once it is verified.

import { randomUUID } from "node:crypto";
import { statfs } from "node:fs/promises";
import { messageOf } from "@waybill/oci/error";
import type { Digest } from "@waybill/oci/digest";
import type { OpenedBlob } from "@waybill/oci/registry";
import { unavailable } from "../api/problem.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { formatName } from "../name.ts";
import type { Source } from "../source.ts";
import { storedSource } from "../source.ts";
import type { Store } from "../store/store.ts";
import { Arrival } from "./arrival.ts";
import { Download } from "./download.ts";
import { unlessMissing } from "./missing.ts";
import { Once } from "./once.ts";
import type { UpstreamName, Upstreams } from "./upstreams.ts";

interface Parts {
  store: Store;
  upstreams: Upstreams;
  log: Log;
  metrics: Metrics;
  /** Bytes of the disk that are left alone. */
  keepFree: number;
}

export interface FoundBlob {
  source: Source;
  from: "hit" | "miss";
}

export class UpstreamBlobs {
  readonly #parts: Parts;
  readonly #beginning = new Once<Download | "here">();
  readonly #downloads = new Map<string, Download>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** What is under way. */
  get downloads(): number {
    return this.#downloads.size;
  }

  /** Waits for what is under way, however it ends. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#downloads.values()].map(({ stored }) => stored));
  }

  /** Whether the repository has a blob, and its size in bytes if it is known. @throws {Problem} */
  async head(name: UpstreamName, digest: Digest): Promise<{ size: number | undefined } | undefined> {
    const { store, upstreams } = this.#parts;
    const held = (await store.repository(name).hasBlob(digest)) ? await store.vault.size(digest) : undefined;
    if (held !== undefined) return { size: held };
    const coming = this.#downloads.get(keyOf(name, digest));
    if (coming) return { size: coming.arrival.size };
    return await unlessMissing(upstreams.of(name.upstream).ask((client) => client.blobs.head(name.repository, digest)));
  }

  /** A blob's bytes, from here or as they come; undefined where the upstream has none. @throws {Problem} */
  async get(name: UpstreamName, digest: Digest): Promise<FoundBlob | undefined> {
    const { store } = this.#parts;
    const coming = this.#downloads.get(keyOf(name, digest))?.reader();
    if (coming) return { source: coming, from: "miss" };
    if (await store.repository(name).hasBlob(digest)) {
      const source = await storedSource(store.vault, digest);
      if (source) return { source, from: "hit" };
    }
    return await unlessMissing(this.#fetch(name, digest));
  }

  /** Brings a blob here: for repairs, and for who pulls ahead. @returns false where the upstream has none */
  async bring(name: UpstreamName, digest: Digest): Promise<boolean> {
    const found = await this.get(name, digest);
    if (found === undefined) return false;
    try {
      await this.#downloads.get(keyOf(name, digest))?.stored;
    } finally {
      await found.source.close();
    }
    return true;
  }

  async #fetch(name: UpstreamName, digest: Digest): Promise<FoundBlob> {
    for (;;) {
      const begun = await this.#beginning.run(keyOf(name, digest), () => this.#begin(name, digest));
      const reader = begun === "here" ? undefined : begun.reader();
      if (reader) return { source: reader, from: "miss" };
      // It was over before we came to it: an error is ours too, else it is in the store.
      if (begun !== "here") await begun.stored;
      const source = await storedSource(this.#parts.store.vault, digest);
      if (source) return { source, from: "hit" };
    }
  }

  async #begin(name: UpstreamName, digest: Digest): Promise<Download | "here"> {
    const key = keyOf(name, digest);
    const running = this.#downloads.get(key);
    if (running) return running;
    if (await this.#isFromElsewhere(name, digest)) return "here";
    const upstream = this.#parts.upstreams.of(name.upstream);
    const { silentFor } = upstream.config;
    const blob = await upstream.ask((client) => client.blobs.open(name.repository, digest, silentFor));
    const file = this.#parts.store.vault.newFile(randomUUID());
    const arrival = await this.#arrival(file, blob, digest);
    this.#parts.metrics.add("waybill_registry_upstream_blobs_total", { upstream: name.upstream });
    const download = new Download(arrival, file, () => this.#store(name, digest, arrival, file));
    this.#downloads.set(key, download);
    void download.stored
      .catch((error: unknown) => {
        upstream.note(messageOf(error));
        this.#parts.log("warn", "download failed", { repository: formatName(name), digest, reason: messageOf(error) });
      })
      .finally(() => this.#downloads.delete(key));
    return download;
  }

  /** @throws {Problem} 503: there is no room */
  async #arrival(file: string, blob: OpenedBlob, digest: Digest): Promise<Arrival> {
    try {
      await this.#assertRoom(blob.size ?? 0);
      return await Arrival.begin(file, blob, digest);
    } catch (error) {
      blob.discard();
      throw error;
    }
  }

  async #store(name: UpstreamName, digest: Digest, arrival: Arrival, file: string): Promise<void> {
    const { store, metrics } = this.#parts;
    const { size } = await arrival.handle.stat();
    metrics.add("waybill_registry_upstream_bytes_total", { upstream: name.upstream }, size);
    await store.vault.adopt(file, arrival.handle, digest);
    await store.repository(name).addBlob(digest);
  }

  /** Another repository brought the bytes: then the upstream is asked only whether this one has them too. */
  async #isFromElsewhere(name: UpstreamName, digest: Digest): Promise<boolean> {
    const { store, upstreams } = this.#parts;
    if ((await store.vault.size(digest)) === undefined) return false;
    const has = await upstreams.of(name.upstream).ask((client) => client.blobs.has(name.repository, digest));
    if (has) await store.repository(name).addBlob(digest);
    return has;
  }

  /** Where the disk is full, clients had better ask the upstream themselves. @throws {Problem} 503 */
  async #assertRoom(size: number): Promise<void> {
    const { store, keepFree } = this.#parts;
    const { bavail, bsize } = await statfs(store.folder);
    if (bavail * bsize - size < keepFree) throw unavailable(503, "the mirror's disk is full");
  }
}

function keyOf(name: UpstreamName, digest: Digest): string {
  return `${formatName(name)}@${digest}`;
}
