// A registry's name as the first component of a repository in a mirror: "localhost:5000/ghcr.io/acme/api". Paths of references have no
// colons, brackets or capitals, so a port and an IPv6 address are written in another way there: with "__", which no host has. That
// makes it a pair of functions that undo each other, and no two registries one.
//
//   ghcr.io                 ghcr.io
//   reg.example.com:8443    reg.example.com__8443
//   [2001:db8::1]:5000      2001-db8-0-0-0-0-0-1__ip6__5000

import { WaybillError } from "./error.ts";
import { isRegistry, normaliseRegistry } from "./reference.ts";

const ADDRESS = /^\[(?<address>[0-9a-f:]+)\](?::(?<port>\d+))?$/;
const ADDRESS_COMPONENT = /^(?<groups>[0-9a-f]{1,4}(?:-[0-9a-f]{1,4}){7})__ip6(?:__(?<port>\d+))?$/;
const PORT_COMPONENT = /^(?<host>[a-z0-9.-]+)__(?<port>\d+)$/;

/**
 * @param registry as references name it; capitals are lost, as hosts don't tell them apart
 * @throws {WaybillError} a host that nothing tells from a name: neither dot nor port
 */
export function componentOfRegistry(registry: string): string {
  const host = normaliseRegistry(registry.toLowerCase());
  const { address, port } = ADDRESS.exec(host)?.groups ?? {};
  if (address !== undefined)
    return `${groupsOf(address, registry).join("-")}__ip6${port === undefined ? "" : `__${port}`}`;
  if (isRegistry(host) && (/[.:]/.test(host) || host === "localhost")) return host.replace(":", "__");
  throw new WaybillError(`a mirror can't tell the registry "${registry}" from the name of a repository`, {
    mend: "write its port too",
  });
}

/** @returns undefined for a component that is no registry: what is pushed to a mirror has such names */
export function registryOfComponent(component: string): string | undefined {
  const { groups, port: ofAddress } = ADDRESS_COMPONENT.exec(component)?.groups ?? {};
  if (groups !== undefined) {
    const { hostname } = new URL(`http://[${groups.replaceAll("-", ":")}]`);
    return ofAddress === undefined ? hostname : `${hostname}:${ofAddress}`;
  }
  const { host, port } = PORT_COMPONENT.exec(component)?.groups ?? {};
  if (host !== undefined) return isRegistry(host) ? `${host}:${port}` : undefined;
  const named = component === "localhost" || component.includes(".");
  return named && isRegistry(component) ? normaliseRegistry(component.toLowerCase()) : undefined;
}

/** The eight groups of an IPv6 address, none left out. */
function groupsOf(address: string, registry: string): string[] {
  const url = URL.parse(`http://[${address}]`);
  if (url === null) throw new WaybillError(`"${registry}" is not an IPv6 address`);
  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const first = head === "" ? [] : head.split(":");
  if (tail === undefined) return first;
  const last = tail === "" ? [] : tail.split(":");
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => "0"), ...last];
}
