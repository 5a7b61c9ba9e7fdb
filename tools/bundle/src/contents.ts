// What of an image is in a bundle: all of it, or some of its platforms. The image's own index stays whole, as its digest is what people
// pinned; platforms that are left out are then missing from under it, which OCI allows and calls a sparse index.

import {
  type Descriptor,
  type Digest,
  MEDIA_TYPE,
  DOCKER_MEDIA_TYPE,
  WaybillError,
  check,
  compareText,
  configSchema,
  formatPlatform,
  isDistributable,
  parseDocument,
  parseJson,
} from "@waybill/oci";
import type { DocumentReader } from "@waybill/oci/registry";
import { hasPlatform } from "./selection.ts";

export interface Contents {
  platforms: { platform: string; digest: Digest }[];
  /** Platforms that an index lists and that are not here. */
  absent: string[];
  /** Children before parents: the image's own index or manifest is last. */
  manifests: Descriptor[];
  /** Each once; layers that registries don't take are left out. */
  blobs: Descriptor[];
  /** Those of the blobs that are configs: small, and always in a bundle. */
  configs: Set<Digest>;
}

/** Says which entries of an index are in. */
export type Selection = (entries: readonly Descriptor[]) => readonly Descriptor[];

/** Indexes within indexes: more is no image, but somebody's trap. */
const MAX_DEPTH = 4;
const CONFIGS: ReadonlySet<string> = new Set([MEDIA_TYPE.config, DOCKER_MEDIA_TYPE.config]);

/**
 * Follows an image from its root.
 * @param read gives manifests, and the config of an image that has no index
 */
export async function contentsOf(root: Descriptor, read: DocumentReader, select: Selection): Promise<Contents> {
  const contents: Contents = { platforms: [], absent: [], manifests: [], blobs: [], configs: new Set() };
  await new Walk(contents, read, select).visit(root, 0);
  contents.platforms.sort((a, b) => compareText(a.platform, b.platform) || compareText(a.digest, b.digest));
  contents.absent.sort(compareText);
  return contents;
}

class Walk {
  readonly #contents: Contents;
  readonly #read: DocumentReader;
  readonly #select: Selection;
  readonly #seen = new Set<Digest>();

  constructor(contents: Contents, read: DocumentReader, select: Selection) {
    this.#contents = contents;
    this.#read = read;
    this.#select = select;
  }

  async visit(node: Descriptor, depth: number): Promise<void> {
    if (this.#seen.has(node.digest)) return;
    this.#seen.add(node.digest);
    if (depth > MAX_DEPTH)
      throw new WaybillError(`indexes within indexes, more than ${MAX_DEPTH}`, { where: node.digest });
    const document = parseDocument(await this.#read(node), node.digest);
    if (document.kind === "index") await this.#index(document.index.manifests, depth);
    else await this.#manifest(node, document.manifest, depth);
    this.#contents.manifests.push(node);
  }

  async #index(entries: readonly Descriptor[], depth: number): Promise<void> {
    const chosen = new Set(this.#select(entries).map(({ digest }) => digest));
    for (const entry of entries) {
      if (chosen.has(entry.digest)) await this.visit(entry, depth + 1);
      else if (entry.platform !== undefined && hasPlatform(entry))
        this.#contents.absent.push(formatPlatform(entry.platform));
    }
  }

  async #manifest(
    node: Descriptor,
    { config, layers }: { config: Descriptor; layers: Descriptor[] },
    depth: number,
  ): Promise<void> {
    for (const blob of [config, ...layers]) {
      if (this.#seen.has(blob.digest) || !isDistributable(blob.mediaType)) continue;
      this.#seen.add(blob.digest);
      this.#contents.blobs.push(blob);
    }
    this.#contents.configs.add(config.digest);
    const platform = node.platform ?? (depth === 0 ? await this.#platformOf(config) : undefined);
    if (platform !== undefined && hasPlatform({ ...node, platform }))
      this.#contents.platforms.push({ platform: formatPlatform(platform), digest: node.digest });
  }

  /** Artefacts (charts, signatures) run on nothing. */
  async #platformOf(config: Descriptor): Promise<{ os: string; architecture: string; variant?: string } | undefined> {
    if (!CONFIGS.has(config.mediaType)) return undefined;
    const { os, architecture, variant } = check(
      configSchema,
      parseJson(await this.#read(config), config.digest),
      config.digest,
    );
    return variant === undefined ? { os, architecture } : { os, architecture, variant };
  }
}
