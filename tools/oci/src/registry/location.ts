// Where a registry sends us next: redirects, upload sessions, the next page of a list.

import { WaybillError } from "../error.ts";
import { redactUrl, RegistryError } from "./error.ts";

/**
 * Resolves a Location. A registry behind a TLS proxy may name itself with http: on its own host that is read as https; elsewhere a
 * step down from https is refused.
 */
export function resolveLocation(location: string, from: URL): URL {
  const url = URL.parse(location, from.href);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new RegistryError("the registry sent us to no URL", { where: redactUrl(from) });
  }
  if (from.protocol !== "https:" || url.protocol === "https:") return url;
  if (url.hostname !== from.hostname) {
    throw new WaybillError("refused to go from https to http", { where: `${redactUrl(from)} to ${url.host}` });
  }
  url.protocol = "https:";
  url.port = from.port;
  return url;
}
