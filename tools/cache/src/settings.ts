// Which remote cache a workspace uses: the plugin's options in nx.json, with what the environment says over them.

import { WaybillError } from "@waybill/oci/error";
import { isRepository, parseReference } from "@waybill/oci/reference";

/** The part of the plugin's options that is about the remote cache. */
export interface CacheOptions {
  /** A registry and a repository: "ghcr.io/acme/images/nx-cache". */
  remoteCache?: string | undefined;
  /** Public keys (signature.ts). With any, an entry that none of them signed is no entry. */
  remoteCacheKeys?: readonly string[] | undefined;
}

export interface CacheSettings {
  /** As references name it. */
  registry: string;
  /** Where trusted runs keep entries and images. */
  repository: string;
  /** Undefined: http on this machine alone. */
  plainHttp: boolean | undefined;
  publicKeys: readonly string[];
}

type Environment = Record<string, string | undefined>;

/** Says "none", whatever nx.json says. */
const OFF = new Set(["", "off", "none", "false"]);

/** The location, unchecked: cheap, as every run of Nx asks. `undefined` where there is no remote cache. */
export function locationOf(options: CacheOptions = {}, env: Environment = process.env): string | undefined {
  const location = env["WAYBILL_REMOTE_CACHE"] ?? options.remoteCache;
  return location === undefined || OFF.has(location) ? undefined : location;
}

/**
 * @returns `undefined` where there is no remote cache
 * @throws {WaybillError} the location is no repository of a registry
 */
export function cacheSettings(options: CacheOptions = {}, env: Environment = process.env): CacheSettings | undefined {
  const location = locationOf(options, env);
  if (location === undefined) return undefined;
  const [, scheme, name = ""] = /^(?:(https?|oci):\/\/)?(.*?)\/*$/.exec(location) as RegExpExecArray;
  const { registry, repository, tag, digest } = parseReference(name);
  if (tag !== undefined || digest !== undefined || !isRepository(repository) || !name.startsWith(registry)) {
    throw new WaybillError(`"${location}" is no place for a remote cache`, {
      mend: 'write a registry and a repository, as in "ghcr.io/acme/images/nx-cache"',
    });
  }
  const plainHttp = scheme === "http" ? true : scheme === "https" ? false : undefined;
  return { registry, repository, plainHttp, publicKeys: options.remoteCacheKeys ?? [] };
}
