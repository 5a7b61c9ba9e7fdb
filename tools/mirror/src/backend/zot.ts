// zot: one process for all upstreams, each below its host, by its sync extension, on demand.

import { WaybillError, componentOfRegistry } from "@waybill/oci";
import { IDLE_MS } from "@waybill/oci/registry";
import { type Backend, listenAddress, placeAt } from "./backend.ts";
import type { BackendSettings } from "./settings.ts";
import { upstreamOf } from "./upstreams.ts";

const DEFAULT_STORAGE = "/var/lib/registry";
/** A request may take as long as the sync that it waits for, which is zot's own limit; by default zot ends each after a minute. */
const REQUEST_LIMIT = "3h";

export function zot({ url, storage = DEFAULT_STORAGE, upstreams }: BackendSettings): Backend {
  if (!storage.startsWith("/"))
    throw new WaybillError(`"${storage}" is no place for zot to store in`, { mend: "write a folder's whole path" });
  const known = Object.entries(upstreams).map(([host, each]) => upstreamOf(host, each.url));
  const { hostname, port } = listenAddress(url);
  const config = {
    distSpecVersion: "1.1.1",
    storage: {
      rootDirectory: storage,
      gc: true,
      dedupe: true,
      // By default its GC deletes within the hour what has no tag: images that were pulled, pushed or restored by digest.
      retention: { policies: [{ repositories: ["**"], deleteUntagged: false }] },
    },
    http: {
      address: hostname ?? "0.0.0.0",
      port,
      readTimeout: REQUEST_LIMIT,
      writeTimeout: REQUEST_LIMIT,
      // Docker's own media types stay what they are, or digests would change on the way.
      compat: ["docker2s2"],
    },
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
    takesImages: true,
    // As long as a connection of ours may be silent at all. zot goes on meanwhile: who asks again waits for the rest.
    silentForMs: IDLE_MS,
    hidesFaults: true,
    placeOf: (host) =>
      known.some((each) => each.host === host) ? placeAt(url, `${componentOfRegistry(host)}/`) : undefined,
    files: () => ({ "config.json": `${JSON.stringify(config, undefined, 2)}\n` }),
    next: "start it with: zot verify config.json && zot serve config.json",
  };
}
