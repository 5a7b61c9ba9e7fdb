// What serves a mirror: Waybill's own registry, or one that a team runs already. They differ in where images of an upstream are asked
// for, and in what they read to pull through; nothing else in Waybill knows which one it is.

import type { Reference } from "@waybill/oci";

export const BACKENDS = ["waybill", "distribution", "zot", "harbor"] as const;
export type BackendName = (typeof BACKENDS)[number];

/** A registry that images come from. */
export interface Upstream {
  /** As references name it: "docker.io". */
  host: string;
  /** Where it answers: "https://registry-1.docker.io". */
  url: string;
}

/** Where something is asked for. */
export interface Place {
  /** Host and port, as references have them. */
  registry: string;
  plainHttp: boolean;
  /** Stands before the upstream's own repository: "ghcr.io/", or nothing. */
  prefix: string;
}

export interface Backend {
  readonly name: BackendName;
  /** Where it answers, and takes what is pushed: "http://127.0.0.1:5000". */
  readonly url: string;
  /** What stands before the name of what is pushed, where it may not stand at the top. */
  readonly own?: string;
  readonly upstreams: readonly Upstream[];
  /** Whether a client may say by `?ns=` which upstream it means, without a prefix (distribution-spec, "Registry Proxying"). */
  readonly knowsNs: boolean;
  /** Whether upstreams' images can be pushed to where they are asked for, as a bundle's are; else they come from upstreams alone. */
  readonly takesImages: boolean;
  /** The upstream that names without a host are asked of, as docker asks them of its mirrors. */
  readonly fallback?: string | undefined;
  /** Where images of an upstream are asked for; undefined for one that it doesn't mirror. */
  placeOf(host: string): Place | undefined;
  /** What a registry of this kind reads to be the mirror, by file name. */
  files(): Record<string, string>;
  /** How long it may be silent before a manifest, in milliseconds, if longer than registries are: it fetches all of an image first. */
  readonly silentForMs?: number;
  /** Whether it says of an image whose upstream it can't ask what it says of one that isn't there. */
  readonly hidesFaults?: boolean;
  /** What is done with these files. */
  readonly next: string;
}

/** A reference as one registry has it. */
export interface Located extends Reference {
  plainHttp: boolean;
}

/** Where the mirror has what a reference names: an upstream's image, or one that was pushed. Undefined for what it doesn't mirror. */
export function locate(backend: Backend, reference: Reference): Located | undefined {
  const { registry, repository } = reference;
  if (isItself(backend, registry)) return { ...reference, plainHttp: isPlain(backend.url) };
  const place = backend.placeOf(registry);
  if (place === undefined) return undefined;
  return {
    ...reference,
    registry: place.registry,
    repository: `${place.prefix}${repository}`,
    plainHttp: place.plainHttp,
  };
}

/** Where the mirror's folder says which upstreams there are. */
export const settingsFileOf = ({ name }: Backend): string => (name === "waybill" ? "config.json" : "backend.json");

export const isPlain = (url: string): boolean => url.startsWith("http:");

/**
 * Where a registry listens that is to answer at a URL.
 * @returns hostname as URLs have it; undefined for every address: a name says nothing of one, and before https somebody else ends TLS
 */
export function listenAddress(url: string): { hostname: string | undefined; port: string } {
  const { hostname, port } = new URL(url);
  if (!isPlain(url)) return { hostname: undefined, port: port || "5000" };
  const isAddress = /^[\d.]+$|^\[|^localhost$/.test(hostname);
  return { hostname: isAddress ? hostname : undefined, port: port || "80" };
}

/** The place at a URL, whose path stands before the repository. */
export function placeAt(url: string, prefix: string): Place {
  return { registry: new URL(url).host, plainHttp: isPlain(url), prefix };
}

/** This machine has several names. */
export function isItself({ url }: Backend, registry: string): boolean {
  const { host, hostname, port } = new URL(url);
  if (registry === host) return true;
  const names = ["localhost", "127.0.0.1", "[::1]"];
  return names.includes(hostname) && names.some((name) => registry === `${name}:${port}`);
}
