// Which repository a request is about. Two kinds live beside each other and can't collide: what was pushed here, under any name, and
// what came from an upstream, under the upstream's host. A first component with "." or ":" (or localhost) is always a host: the same
// rule by which references are read. A port is written ":5000", or "__5000" where a reference has no room for a colon.

import { registryOfComponent } from "@waybill/oci/mirrored";
import { isRegistry, isRepository, normaliseRegistry } from "@waybill/oci/reference";

export interface Name {
  /** The upstream's host as references have it ("docker.io"); absent for what is pushed here. */
  upstream?: string;
  /** "library/debian" */
  repository: string;
  /** True where an upstream's images shall survive a power cut as what is pushed does: nobody may bring them again. */
  lasting?: boolean;
}

/** The spec's limit on host and repository together; longer ones would not fit a file system either. */
const MAX_LENGTH = 255;

/**
 * Reads the name of a request's path.
 * @param ns the query parameter by which clients tell a mirror whose repository they mean (distribution-spec, "Registry Proxying")
 * @returns undefined for what is no name
 */
export function readName(text: string, ns?: string): Name | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  if (ns !== undefined) return isRegistry(ns) ? ofUpstream(ns, text) : undefined;
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const host = first.includes(":") && isRegistry(first) ? first : registryOfComponent(first);
  if (host !== undefined) return ofUpstream(host, text.slice(slash + 1));
  return isRepository(text) ? { repository: text } : undefined;
}

/** As people write it: "team/api", "ghcr.io/acme/api". */
export function formatName({ upstream, repository }: Name): string {
  return upstream === undefined ? repository : `${upstream}/${repository}`;
}

function ofUpstream(host: string, repository: string): Name | undefined {
  if (!isRepository(repository)) return undefined;
  const upstream = normaliseRegistry(host.toLowerCase());
  const official = upstream === "docker.io" && !repository.includes("/");
  return { upstream, repository: official ? `library/${repository}` : repository };
}
