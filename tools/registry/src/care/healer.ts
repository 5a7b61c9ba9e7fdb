// Brings damaged blobs back from upstreams. Any upstream's repository that the blob belongs to will do: the bytes are the same.

import type { Digest } from "@waybill/oci/digest";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { formatName } from "../name.ts";
import type { Repository } from "../store/repository.ts";
import type { Store } from "../store/store.ts";
import type { UpstreamBlobs } from "../upstream/blobs.ts";
import type { UpstreamImages } from "../upstream/images.ts";
import { Once } from "../upstream/once.ts";
import type { UpstreamName, Upstreams } from "../upstream/upstreams.ts";

interface Parts {
  store: Store;
  upstreams: Upstreams;
  images: UpstreamImages;
  blobs: UpstreamBlobs;
  log: Log;
  metrics: Metrics;
}

export class Healer {
  readonly #parts: Parts;
  readonly #running = new Once<boolean>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @returns false where no upstream has the blob, or none can be asked; it is reported then */
  async heal(digest: Digest): Promise<boolean> {
    return await this.#running.run(digest, () => this.#heal(digest));
  }

  async #heal(digest: Digest): Promise<boolean> {
    const { store, upstreams, log, metrics } = this.#parts;
    if ((await store.vault.size(digest)) !== undefined) return true;
    for await (const { name, repository } of store.repositories()) {
      const { upstream } = name;
      if (upstream === undefined || !upstreams.knows(upstream)) continue;
      if (!(await this.#bring({ ...name, upstream }, repository, digest).catch(() => false))) continue;
      log("info", "healed", { digest, from: formatName(name) });
      metrics.add("waybill_registry_healed_total");
      return true;
    }
    log("error", "lost", { digest });
    return false;
  }

  async #bring(name: UpstreamName, repository: Repository, digest: Digest): Promise<boolean> {
    const { images, blobs } = this.#parts;
    if (await repository.manifest(digest)) return (await images.get(name, digest)).digest === digest;
    return (await repository.hasBlob(digest)) && (await blobs.bring(name, digest));
  }
}
