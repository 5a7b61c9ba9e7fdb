// Waybill's own registry: one process for all upstreams, which it has below their hosts, beside what is pushed.

import { componentOfRegistry } from "@waybill/oci";
import type { Config } from "@waybill/registry";
import { type Backend, placeAt } from "./backend.ts";
import { upstreamOf } from "./upstreams.ts";

/** @param config of the mirror's folder @param running where it answers, if it is known */
export function waybill(config: Config, running?: string): Backend {
  const url = running === undefined ? urlOf(config) : reachable(running);
  const hosts = Object.keys(config.upstreams);
  return {
    name: "waybill",
    url,
    upstreams: hosts.filter((host) => host !== "*").map((host) => upstreamOf(host, config.upstreams[host]?.url)),
    knowsNs: true,
    takesImages: true,
    fallback: config.fallback,
    placeOf(host) {
      const known = hosts.includes("*") || hosts.includes(host.toLowerCase());
      return known ? placeAt(url, `${componentOfRegistry(host)}/`) : undefined;
    },
    files: () => ({}),
    next: "start it with: npx waybill mirror start",
  };
}

/** An address that listens for everybody is reached from here as this machine. */
const reachable = (url: string): string =>
  url.replace(/^(?<scheme>https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=:|$)/, "$<scheme>127.0.0.1");

function urlOf({ host, port, tls }: Config): string {
  return reachable(`${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${port}`);
}
