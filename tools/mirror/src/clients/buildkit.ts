// BuildKit as a daemon of its own, or a builder of docker buildx: buildkitd.toml.

import type { Backend, Upstream } from "../backend/backend.ts";
import { isPlain } from "../backend/backend.ts";
import { type ClientSettings, MARK, hostOf, quote } from "./client.ts";

const FILE = "etc/buildkit/buildkitd.toml";

export function buildkit(mirror: Backend): ClientSettings {
  const plain = new Set<string>();
  if (isPlain(mirror.url)) plain.add(hostOf(mirror.url));
  const tables = mirror.upstreams.map((upstream) => tableOf(mirror, upstream, plain));
  const own = [...plain].map((host) => `[registry.${quote(host)}]\n  http = true\n`);
  return {
    files: { [FILE]: MARK + [...tables, ...own].join("\n") },
    notes: [
      `for a builder of docker buildx: docker buildx create --use --driver-opt network=host --buildkitd-config /${FILE} (--config before buildx 0.17)`,
    ],
  };
}

/** @param plain gets the places that speak http */
function tableOf(mirror: Backend, { host, url }: Upstream, plain: Set<string>): string {
  const place = mirror.placeOf(host);
  if (place === undefined) return "";
  if (place.plainHttp) plain.add(place.registry);
  // With ?ns=, which BuildKit always sends, nothing needs to stand before the repository.
  const path = mirror.knowsNs ? "" : place.prefix;
  const mirrors = `[registry.${quote(host)}]\n  mirrors = [${quote(`${place.registry}/${path}`.replace(/\/$/, ""))}]\n`;
  return isPlain(url) && hostOf(url) === host ? `${mirrors}  http = true\n` : mirrors;
}
