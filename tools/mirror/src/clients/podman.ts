// podman, buildah, skopeo and CRI-O: a drop-in for registries.conf (containers-registries.conf(5)). A mirror that fails is passed over.

import type { Backend, Upstream } from "../backend/backend.ts";
import { isPlain } from "../backend/backend.ts";
import { type ClientSettings, MARK, hostOf, namesOf, quote } from "./client.ts";

export function podman(mirror: Backend): ClientSettings {
  const tables = [...mirror.upstreams.map((upstream) => tableOf(mirror, upstream)), ...ownTables(mirror)];
  return {
    files: { "etc/containers/registries.conf.d/50-waybill-mirror.conf": MARK + tables.join("\n") },
    notes: ["without root: ~/.config/containers/registries.conf.d/50-waybill-mirror.conf"],
  };
}

function tableOf(mirror: Backend, { host, url }: Upstream): string {
  const place = mirror.placeOf(host);
  if (place === undefined) return "";
  // docker.io is known to podman by that name.
  const location = host === "docker.io" && hostOf(url) === "registry-1.docker.io" ? host : hostOf(url);
  const lines = [
    "[[registry]]",
    `prefix = ${quote(host)}`,
    `location = ${quote(location)}`,
    ...(isPlain(url) ? ["insecure = true"] : []),
    "[[registry.mirror]]",
    `location = ${quote(`${place.registry}/${place.prefix}`.replace(/\/$/, ""))}`,
    ...(place.plainHttp ? ["insecure = true"] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** So that a push to a mirror without TLS needs no flag. */
function ownTables({ url }: Backend): string[] {
  if (!isPlain(url)) return [];
  return namesOf(url).map((name) => `[[registry]]\nlocation = ${quote(name)}\ninsecure = true\n`);
}
