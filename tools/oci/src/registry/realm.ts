// Where credentials may go. A registry names the server that hands out tokens (the realm); a registry that is hostile, or a man in
// the middle of one, could name its own and collect passwords (CVE-2026-33540). So credentials leave only for
//  - the registry's own host, no less protected than the registry itself, or
//  - over https, a host of the registry's site: registry.example.com may send us to auth.example.com or example.com.
// Any other realm is asked without credentials.

import { isIP } from "node:net";

/** @param registry the origin requests go to, @param realm where its challenge sends us */
export function mayReceiveCredentials(realm: URL, registry: URL): boolean {
  if (realm.protocol !== "https:" && realm.protocol !== registry.protocol) return false;
  if (realm.hostname === registry.hostname) return true;
  return (
    realm.protocol === "https:" &&
    registry.protocol === "https:" &&
    siteOf(realm.hostname) === siteOf(registry.hostname)
  );
}

/** Names under which strangers have hosts side by side: each host there is a site of its own. */
const SHARED_HOSTING = ["amazonaws.com", "amazonaws.com.cn", "azurecr.io", "gcr.io", "github.io", "pkg.dev", "run.app"];

/**
 * The registrable part of a host: two labels, or three where the two look like a public suffix (co.uk, com.au). An address, a
 * name without a dot and a name on shared hosting are whole.
 */
function siteOf(host: string): string {
  const labels = host.split(".");
  const isAddress = isIP(host.replace(/^\[|\]$/g, "")) !== 0;
  if (isAddress || SHARED_HOSTING.some((suffix) => host.endsWith(`.${suffix}`))) return host;
  const [second = "", top = ""] = labels.slice(-2);
  return labels.slice(top.length === 2 && second.length <= 3 ? -3 : -2).join(".");
}
