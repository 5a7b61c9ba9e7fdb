// What a control plane reads at its start: certificates, the key of service account tokens, a kubeconfig for each who logs in.

import { generateKeyPairSync } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority, type Identity } from "../authority.ts";

/** Who logs in, and the group that gives them their rights (RBAC's default bindings, or none needed). */
const USERS = {
  admin: { name: "admin", organisation: "system:masters" },
  controllers: { name: "system:kube-controller-manager" },
  scheduler: { name: "system:kube-scheduler" },
} as const;

export interface ClusterFiles {
  folder: string;
  authority: Authority;
  admin: Identity;
  /** Absolute path of a file: "ca.crt", "server.key", "admin.kubeconfig". */
  path(name: string): string;
}

/** @param server the API server's URL */
export async function writeClusterFiles(folder: string, server: string): Promise<ClusterFiles> {
  const authority = await Authority.create();
  const path = (name: string): string => join(folder, name);
  const write = (name: string, text: string): Promise<void> => writeFile(path(name), text, { mode: 0o600 });
  const hosts = [
    new URL(server).hostname,
    "localhost",
    "10.96.0.1",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
  ];
  const apiServer = await authority.issue("kube-apiserver", { hosts });
  const tokens = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await write("ca.crt", authority.cert);
  await write("ca.key", await authority.key());
  await write("server.crt", apiServer.cert);
  await write("server.key", apiServer.key);
  await write("tokens.key", tokens.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  await write("tokens.pub", tokens.publicKey.export({ type: "spki", format: "pem" }).toString());
  const identities = new Map<string, Identity>();
  for (const [user, { name, ...group }] of Object.entries(USERS)) {
    const identity = await authority.issue(name, { client: true, ...group });
    identities.set(user, identity);
    await write(`${user}.kubeconfig`, kubeconfig(server, authority.cert, identity));
  }
  // Containers of the program under test read it as users of their own. It is good for an hour, for nothing but this cluster.
  await chmod(folder, 0o711);
  await chmod(path("admin.kubeconfig"), 0o644);
  return { folder, authority, admin: identities.get("admin") as Identity, path };
}

/** Kubeconfigs are YAML, of which JSON is a part. @param ca PEM @param who a certificate, or the token of a service account */
export function kubeconfig(server: string, ca: string, who: Identity | { token: string }): string {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const certificate = (): object => {
    const { cert, key } = who as Identity;
    return { "client-certificate-data": base64(cert), "client-key-data": base64(key) };
  };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server, "certificate-authority-data": base64(ca) } }],
    users: [{ name: "test", user: "token" in who ? who : certificate() }],
  });
}
