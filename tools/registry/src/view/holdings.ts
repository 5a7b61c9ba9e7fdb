// What a registry's folder holds, read from the disk: for who makes lists of it, whether a server runs on it or not. Nothing is written,
// and looking at something doesn't count as using it.

import type { Digest } from "@waybill/oci/digest";
import type { Descriptor } from "@waybill/oci/descriptor";
import { isAttestation, formatPlatform, platformSchema } from "@waybill/oci/platform";
import { readManifest } from "../manifest.ts";
import type { ReadManifest } from "../manifest.ts";
import { formatName, readName } from "../name.ts";
import type { Repository } from "../store/repository.ts";
import { Store } from "../store/store.ts";

export interface HeldPlatform {
  /** "linux/amd64"; absent where nothing says so: a chart, a signature. */
  platform: string | undefined;
  digest: Digest;
  /** All its blobs are here too. */
  complete: boolean;
}

export interface Holding {
  /** "ghcr.io/acme/api", or "team/api" for what was pushed. */
  repository: string;
  /** Absent for what no tag leads to. */
  tag: string | undefined;
  digest: Digest;
  mediaType: string;
  /** Of an index, those whose manifests are here. */
  platforms: HeldPlatform[];
  /** How many more its index names. */
  absent: number;
  /** Of what is here, each blob once, in bytes. */
  size: number;
  /** When it was last pulled, in milliseconds since the epoch. */
  lastPull: number;
}

interface Document extends ReadManifest {
  /** In bytes. */
  size: number;
}

export class Holdings {
  readonly #store: Store;

  constructor(folder: string) {
    this.#store = new Store(folder, 0, { onDamage() {} });
  }

  /** What a tag names here. */
  async tag(repository: string, tag: string): Promise<Digest | undefined> {
    return (await this.#repository(repository)?.tag(tag))?.digest;
  }

  /** True for a manifest that belongs to the repository and is what its digest says. */
  async hasManifest(repository: string, digest: Digest): Promise<boolean> {
    const found = this.#repository(repository);
    return found !== undefined && (await this.#document(found, digest)) !== undefined;
  }

  /** @param size in bytes: a blob that was cut short is not here */
  async hasBlob(repository: string, digest: Digest, size: number): Promise<boolean> {
    const found = this.#repository(repository);
    return found !== undefined && (await this.#hasBlob(found, digest, size));
  }

  /** What a tag or a digest leads to; undefined where it isn't here. */
  async find(repository: string, { tag, digest }: { tag?: string; digest?: Digest }): Promise<Holding | undefined> {
    const found = this.#repository(repository);
    const root = digest ?? (tag === undefined ? undefined : await this.tag(repository, tag));
    return root && found && (await this.#holding(repository, found, root, tag));
  }

  /** All that can be pulled from here: each tag, then each manifest that neither a tag nor an index of its repository leads to. */
  async *all(): AsyncGenerator<Holding> {
    for await (const { name, repository } of this.#store.repositories()) {
      const text = formatName(name);
      const reached = new Set<Digest>();
      for (const tag of await repository.tags()) {
        const digest = (await repository.tag(tag))?.digest;
        const holding = digest && (await this.#holding(text, repository, digest, tag));
        if (digest) reached.add(digest);
        if (holding) yield holding;
      }
      const digests = await repository.manifests();
      for (const digest of digests)
        for (const child of (await this.#document(repository, digest))?.children ?? []) reached.add(child.digest);
      for (const digest of digests.filter((each) => !reached.has(each))) {
        const holding = await this.#holding(text, repository, digest, undefined);
        if (holding) yield holding;
      }
    }
  }

  async #holding(
    text: string,
    repository: Repository,
    digest: Digest,
    tag: string | undefined,
  ): Promise<Holding | undefined> {
    const root = await this.#document(repository, digest);
    if (root === undefined) return undefined;
    const sizes = new Map<Digest, number>([[digest, root.size]]);
    const parts: Pick<Descriptor, "digest" | "platform">[] = root.children.length > 0 ? root.children : [{ digest }];
    const platforms: HeldPlatform[] = [];
    let absent = 0;
    for (const part of parts) {
      const held = await this.#platform(repository, part, sizes);
      if (isAttestation(part.platform)) continue;
      if (held) platforms.push(held);
      else absent++;
    }
    const size = [...sizes.values()].reduce((sum, each) => sum + each, 0);
    const lastPull = Math.round(await repository.lastUsed("_manifests", digest));
    return { repository: text, tag, digest, mediaType: root.mediaType, platforms, absent, size, lastPull };
  }

  /** @param sizes is told what is here of it */
  async #platform(
    repository: Repository,
    { digest, platform }: Pick<Descriptor, "digest" | "platform">,
    sizes: Map<Digest, number>,
  ): Promise<HeldPlatform | undefined> {
    const document = await this.#document(repository, digest);
    if (document === undefined) return undefined;
    sizes.set(digest, document.size);
    let complete = true;
    for (const blob of document.blobs) {
      if (await this.#hasBlob(repository, blob.digest, blob.size)) sizes.set(blob.digest, blob.size);
      else complete = false;
    }
    const known = platform ? formatPlatform(platform) : await this.#platformOf(document.blobs[0]);
    return { platform: known, digest, complete };
  }

  async #hasBlob(repository: Repository, digest: Digest, size: number): Promise<boolean> {
    return (await repository.lastUsed("_blobs", digest)) > 0 && (await this.#store.vault.blobs.has(digest, size));
  }

  async #document(repository: Repository, digest: Digest): Promise<Document | undefined> {
    const record = await repository.manifest(digest);
    const bytes = record && (await this.#store.vault.blobs.read(digest).catch(() => undefined));
    try {
      return bytes && { ...readManifest(bytes, record.mediaType, digest), size: bytes.length };
    } catch {
      return undefined; // Of another time, or by another program.
    }
  }

  /** As an image's config says it. */
  async #platformOf(config: Descriptor | undefined): Promise<string | undefined> {
    const bytes = config && (await this.#store.vault.blobs.read(config.digest).catch(() => undefined));
    if (bytes === undefined || !/image(\.config)?\.v1\+json$/.test(config?.mediaType ?? "")) return undefined;
    try {
      return formatPlatform(platformSchema.parse(JSON.parse(bytes.toString("utf8"))));
    } catch {
      return undefined; // A stranger's.
    }
  }

  #repository(text: string): Repository | undefined {
    const name = readName(text);
    return name && this.#store.repository(name);
  }
}
