// A TLS-inspecting proxy's authority is in the system's bundle, which Node doesn't read by itself. Without it every download
// in such a network would fail with "self-signed certificate in certificate chain".

import { getCACertificates, setDefaultCACertificates } from "node:tls";

let trusted = false;

/** From the first call on, HTTPS of this process trusts the system's authorities beside Node's own. */
export function trustSystemCertificates(): void {
  if (trusted) return;
  trusted = true;
  setDefaultCACertificates([...new Set([...getCACertificates("default"), ...getCACertificates("system")])]);
}
