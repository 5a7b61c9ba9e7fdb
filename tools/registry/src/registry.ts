// The parts of a running registry, put together.

import type { Digest } from "@waybill/oci/digest";
import { messageOf } from "@waybill/oci/error";
import { Access } from "./access/access.ts";
import { Healer } from "./care/healer.ts";
import { startCare } from "./care/care.ts";
import type { Care } from "./care/care.ts";
import type { Config } from "./config.ts";
import { declareFigures } from "./figures.ts";
import type { Log } from "./log.ts";
import { Metrics } from "./metrics.ts";
import { Store } from "./store/store.ts";
import { Pulls } from "./view/pulls.ts";
import { UpstreamBlobs } from "./upstream/blobs.ts";
import { UpstreamImages } from "./upstream/images.ts";
import { Upstreams } from "./upstream/upstreams.ts";

export interface Registry {
  config: Config;
  store: Store;
  access: Access;
  upstreams: Upstreams;
  images: UpstreamImages;
  blobs: UpstreamBlobs;
  metrics: Metrics;
  log: Log;
  /** Brings back a blob that was damaged, from an upstream that has it. @returns false where none has */
  heal(digest: Digest): Promise<boolean>;
  pulls: Pulls;
  care: Care;
  /** Ends what is under way, and waits for its end. */
  stop(): Promise<void>;
}

/** What collection and scrub need: they are a part of the registry themselves. */
export type Cared = Omit<Registry, "care">;

/** @throws {WaybillError} a configuration that can't be used */
export async function openRegistry(config: Config, log: Log): Promise<Registry> {
  const metrics = declareFigures(new Metrics());
  const stopping = new AbortController();
  const store = new Store(config.folder, config.gc.grace, {
    onDamage(digest, reason) {
      metrics.add("waybill_registry_damaged_total");
      log("error", "damaged", { digest, reason });
      // At once, whoever found it: the next reader shall have it.
      void healer
        .heal(digest)
        .catch((error: unknown) => log("error", "not healed", { digest, reason: messageOf(error) }));
    },
  });
  const access = await Access.load(config);
  await store.prepare();
  const upstreams = new Upstreams(config.upstreams, stopping.signal);
  const images = new UpstreamImages(store, upstreams, log);
  const blobs = new UpstreamBlobs({ store, upstreams, log, metrics, keepFree: config.keepFree });
  const healer = new Healer({ store, upstreams, images, blobs, log, metrics });
  const registry: Cared = {
    config,
    store,
    access,
    upstreams,
    images,
    blobs,
    metrics,
    log,
    heal: (digest) => healer.heal(digest),
    pulls: new Pulls(),
    async stop() {
      stopping.abort(new Error("the registry stops"));
      await blobs.settle();
    },
  };
  return Object.assign(registry, { care: startCare(registry) });
}
