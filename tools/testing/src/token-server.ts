// The server that hands out a registry's tokens (distribution's "Token Authentication Specification"), with JWTs that the real
// registry checks.

import { X509Certificate, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type IncomingMessage, type RequestListener, createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const SERVICE = "waybill-test-registry";
const ISSUER = "waybill-test-tokens";
/** The least that the specification allows, in seconds. */
const LIFE_S = 60;

export interface TokenServer {
  /** `auth.token` of the registry's configuration. */
  config: object;
  stop(): Promise<void>;
}

/**
 * @param folder has server.pem and server.key, and ca.pem that signed it
 * @param tls speaks https: clients send no password from an https registry to an http server
 * @param users what each may do; all have one password
 */
export async function startTokenServer(
  folder: string,
  tls: boolean,
  password: string,
  users: Record<string, "push" | "pull">,
): Promise<TokenServer> {
  const key = await readFile(join(folder, "server.key"), "utf8");
  const cert = await readFile(join(folder, "server.pem"));
  const certificate = new X509Certificate(cert);
  const answer: RequestListener = (request, response) => {
    const user = userOf(request, password);
    const right = user === undefined ? undefined : users[user];
    if (user === undefined || right === undefined) return void response.writeHead(401).end();
    const { searchParams } = new URL(request.url ?? "/", "http://localhost");
    const access = searchParams.getAll("scope").map((scope) => granted(scope, right));
    const token = jwt({ sub: user, access }, key, certificate);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token, expires_in: LIFE_S }));
  };
  const server = tls ? createTlsServer({ key, cert }, answer) : createServer(answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const realm = `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    config: { realm, service: SERVICE, issuer: ISSUER, rootcertbundle: join(folder, "ca.pem") },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function userOf({ headers }: IncomingMessage, password: string): string | undefined {
  const pair = Buffer.from((headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return pair.slice(colon + 1) === password ? pair.slice(0, colon) : undefined;
}

/** "repository:team/api:pull,push", as far as the user may. */
function granted(scope: string, right: "push" | "pull"): object {
  const [type, name, actions = ""] = scope.split(":");
  const allowed = actions.split(",").filter((action) => right === "push" || action === "pull");
  return { type, name, actions: allowed };
}

function jwt(claims: object, key: string, certificate: X509Certificate): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { typ: "JWT", alg: "ES256", x5c: [certificate.raw.toString("base64")] };
  const times = { iat: now, nbf: now - LIFE_S, exp: now + LIFE_S };
  const payload = { iss: ISSUER, aud: SERVICE, jti: randomUUID(), ...times, ...claims };
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}
