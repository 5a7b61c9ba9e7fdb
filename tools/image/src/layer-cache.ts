// Which cache of layers a build uses: WAYBILL_LAYER_CACHE is `gha` or a repository of a registry.

import { accessOf } from "@waybill/cache/trust";
import type { LayerCache } from "@waybill/engine";

/** What may stand in a scope, a tag and a repository alike. */
const NAME = /[^a-z0-9]+/g;

export function layerCacheOf(
  name: string,
  platform: string,
  env: Record<string, string | undefined> = process.env,
): LayerCache | undefined {
  const place = env["WAYBILL_LAYER_CACHE"];
  if (place === undefined || place === "" || place === "off") return undefined;
  const scope = `${name}-${platform.replace(/^linux\//, "")}`.replace(NAME, "-");
  if (place === "gha") return { kind: "gha", scope, repository: "", write: true };
  // GitHub keeps a pull request's layers from main by itself; in a registry that is up to who writes.
  const { read, write } = accessOf("", env);
  return { kind: "registry", scope, repository: place, write: write !== undefined && write === read[0] };
}
