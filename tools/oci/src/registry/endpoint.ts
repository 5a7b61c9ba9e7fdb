// Where a registry answers. Loopback registries speak http, as docker and podman assume; all others https.

import { WaybillError } from "../error.ts";
import { isLoopback } from "../loopback.ts";
import { isRegistry, normaliseRegistry } from "../reference.ts";

/**
 * The origin of a registry as references name it.
 * @param plainHttp true for http, false for https; by default http for this machine alone
 */
export function endpointOf(registry: string, plainHttp?: boolean): URL {
  if (!isRegistry(registry)) {
    throw new WaybillError(`"${registry}" is not a registry`, {
      mend: "write a host with an optional port, as in localhost:5000",
    });
  }
  const host = normaliseRegistry(registry) === "docker.io" ? "registry-1.docker.io" : registry;
  const scheme = (plainHttp ?? isLoopback(host)) ? "http" : "https";
  return new URL(`${scheme}://${host}`);
}
