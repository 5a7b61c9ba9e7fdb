// Where the remote cache is.

import { type CacheSettings, cacheSettings, untrustedOf } from "@waybill/cache";
import { WaybillError } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { settings } from "../settings.ts";

export interface Repositories {
  client: RegistryClient;
  /** The trusted one, then the other. */
  repositories: string[];
}

/** @throws {WaybillError} none is set up */
export async function openCache(): Promise<Repositories> {
  const found: CacheSettings | undefined = cacheSettings(await settings());
  if (found === undefined)
    throw new WaybillError("there is no remote cache", {
      mend: 'set "remoteCache" in nx.json, or WAYBILL_REMOTE_CACHE',
    });
  const { registry, repository, plainHttp } = found;
  const client = new RegistryClient(registry, { plainHttp });
  return { client, repositories: [repository, untrustedOf(repository)] };
}
