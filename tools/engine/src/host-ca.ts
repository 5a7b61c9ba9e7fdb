// Finds the host's certificate bundle, which knows the CA of a TLS-inspecting proxy if there is one. Builds get it as a secret.

import { existsSync } from "node:fs";

const BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/cert.pem",
  "/etc/ssl/ca-bundle.pem",
];

/** The bundle's path, or undefined: the build then trusts what its own image trusts. */
export function hostCa(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = [env["WAYBILL_CA"], env["SSL_CERT_FILE"], env["NODE_EXTRA_CA_CERTS"]];
  return [...named, ...BUNDLES].find((file) => file !== undefined && file !== "" && existsSync(file));
}
