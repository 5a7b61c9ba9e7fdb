// This process's way to the network, the same that other programs on the machine take. Node reads neither the system's
// certificates (where a TLS-inspecting proxy's authority is) nor, by itself, HTTP_PROXY and its like.

import { getCACertificates, setDefaultCACertificates } from "node:tls";

const PROXY_VARIABLES = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];

let prepared = false;
let trusted = false;

/** Call before a `fetch`: from then on it goes through the proxy that the environment names and trusts the system's authorities. */
export function prepareNetwork(url: string): void {
  if (!prepared) useProxy();
  prepared = true;
  if (url.startsWith("https:")) trustSystem();
}

/** True when requests don't leave this machine directly. */
export function hasProxy(): boolean {
  return PROXY_VARIABLES.some((name) => process.env[name]);
}

function useProxy(): void {
  // Since Node 24.14; older ones need NODE_USE_ENV_PROXY=1 from outside.
  if (!hasProxy()) return;
  const http = process.getBuiltinModule("node:http") as { setGlobalProxyFromEnv?: () => void };
  http.setGlobalProxyFromEnv?.();
}

/** From now on the authorities of the system are trusted too. */
export function trustSystem(): void {
  if (trusted) return;
  trusted = true;
  setDefaultCACertificates([...new Set([...getCACertificates("default"), ...getCACertificates("system")])]);
}
