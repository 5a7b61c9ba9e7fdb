// What the store's manifests point at, read once a run.

import { isDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import type { Descriptor } from "@waybill/oci/descriptor";
import { readManifest } from "../manifest.ts";
import type { Repository } from "../store/repository.ts";
import type { Store } from "../store/store.ts";

export interface Node {
  /** In bytes. */
  size: number;
  blobs: Descriptor[];
  /** Manifests an index lists. They may be missing. */
  children: Digest[];
}

export class Graph {
  readonly #store: Store;
  readonly #nodes = new Map<Digest, Node>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** Undefined for a manifest that is not here, or was damaged. */
  async node(digest: Digest): Promise<Node | undefined> {
    const known = this.#nodes.get(digest);
    if (known) return known;
    const bytes = await readUnleased(this.#store, digest);
    if (bytes === undefined) return undefined;
    const read = readManifest(bytes, undefined, digest);
    const node = { size: bytes.length, blobs: read.blobs, children: read.children.map((child) => child.digest) };
    this.#nodes.set(digest, node);
    return node;
  }

  /** All manifests of the repository that one leads to: itself, those of an index, and what refers to any of them. */
  async reach(repository: Repository, from: Digest, reached = new Set<Digest>()): Promise<Set<Digest>> {
    if (reached.has(from) || (await repository.manifest(from)) === undefined) return reached;
    reached.add(from);
    for (const child of (await this.node(from))?.children ?? []) await this.reach(repository, child, reached);
    for (const { digest } of await repository.referrers(from))
      if (isDigest(digest)) await this.reach(repository, digest, reached);
    return reached;
  }
}

/** Looking at a manifest to see whether it may go must not be what keeps it. */
async function readUnleased({ vault }: Store, digest: Digest): Promise<Buffer | undefined> {
  return await vault.blobs.read(digest).catch(() => undefined);
}
