// zot: one process for all upstreams, each below its host, by its sync extension, on demand.

import { componentOfRegistry } from "@waybill/oci";
import { type Backend, placeAt } from "./backend.ts";
import type { BackendSettings } from "./settings.ts";
import { upstreamOf } from "./upstreams.ts";

const DEFAULT_STORAGE = "/var/lib/registry";

export function zot({ url, storage = DEFAULT_STORAGE, upstreams }: BackendSettings): Backend {
  const known = Object.entries(upstreams).map(([host, each]) => upstreamOf(host, each.url));
  const { port } = new URL(url);
  const config = {
    distSpecVersion: "1.1.1",
    storage: { rootDirectory: storage, gc: true, dedupe: true },
    // Docker's own media types stay what they are, or digests would change on the way.
    http: { address: "0.0.0.0", port: port || "5000", compat: ["docker2s2"] },
    log: { level: "info" },
    extensions: {
      scrub: { enable: true, interval: "168h" },
      sync: {
        enable: true,
        registries: known.map((upstream) => ({
          urls: [upstream.url],
          onDemand: true,
          tlsVerify: true,
          maxRetries: 2,
          retryDelay: "1s",
          preserveDigest: true,
          content: [{ prefix: "**", destination: `/${componentOfRegistry(upstream.host)}` }],
        })),
      },
    },
  };
  return {
    name: "zot",
    url,
    upstreams: known,
    knowsNs: false,
    placeOf: (host) =>
      known.some((each) => each.host === host) ? placeAt(url, `${componentOfRegistry(host)}/`) : undefined,
    files: () => ({ "config.json": `${JSON.stringify(config, undefined, 2)}\n` }),
    next: "start it with: zot verify config.json && zot serve config.json",
  };
}
