// A real OpenID provider (npm oidc-provider) over TLS, and a user who signs in to it by the authorization code flow.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type https from "node:https";
import Provider from "oidc-provider";
import type { Configuration } from "oidc-provider";
import type { Authority } from "@waybill/testing";
import { Browser } from "./browser.ts";
import { close, listen, originOf, request } from "./https.ts";

/** Nothing listens there: the flow ends where the provider redirects to it. */
const REDIRECT_URI = "https://127.0.0.1/callback";
const CLIENT_SECRET = "test-only";

export const CLIENT = "kubernetes";
export const OTHER_CLIENT = "another-application";
export const GROUPS = ["developers", "on-call"];

export class Issuer {
  readonly url: string;
  /** Signs the provider's tokens; tests forge with it what no provider would issue. */
  readonly key: KeyObject;
  readonly #ca: string;
  readonly #server: https.Server;

  private constructor(server: https.Server, ca: string, key: KeyObject) {
    this.url = originOf(server);
    this.key = key;
    this.#ca = ca;
    this.#server = server;
  }

  /** @param port 0 for a free one */
  static async start(authority: Authority, port = 0): Promise<Issuer> {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const server = await listen(await authority.issue("issuer"), port, (incoming, outgoing) => {
      void handle(incoming, outgoing);
    });
    const issuer = new Issuer(server, authority.cert, privateKey);
    const provider = new Provider(issuer.url, configuration(privateKey));
    const handle = provider.callback();
    return issuer;
  }

  /** The id token (a JWT) that `login` gets for `client`, by the whole code flow with PKCE. */
  async signIn(login: string, client: string = CLIENT): Promise<string> {
    const verifier = randomBytes(32).toString("base64url");
    const code = await this.#authorize(login, client, verifier);
    const answer = await request(this.#ca, `${this.url}/token`, {
      method: "POST",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        authorization: `Basic ${Buffer.from(`${client}:${CLIENT_SECRET}`).toString("base64")}`,
      },
      body: new URLSearchParams({
        grant_type: "authorization_code",
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
        code,
      }).toString(),
    });
    if (answer.status !== 200) throw new Error(`token endpoint: ${answer.status} ${answer.body}`);
    return (JSON.parse(answer.body) as { id_token: string }).id_token;
  }

  close(): void {
    close(this.#server);
  }

  async #authorize(login: string, client: string, verifier: string): Promise<string> {
    const url = new URL("/auth", this.url);
    url.search = new URLSearchParams({
      client_id: client,
      response_type: "code",
      redirect_uri: REDIRECT_URI,
      scope: "openid groups",
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    }).toString();
    const end = await new Browser(this.#ca).follow(url, login, (at) => at.href.startsWith(REDIRECT_URI));
    const code = end.searchParams.get("code");
    if (code === null) throw new Error(`no code came back: ${end.search}`);
    return code;
  }
}

function configuration(key: KeyObject): Configuration {
  const jwk = key.export({ format: "jwk" });
  return {
    clients: [CLIENT, OTHER_CLIENT].map((client_id) => ({
      client_id,
      client_secret: CLIENT_SECRET,
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code"],
      response_types: ["code"],
    })),
    jwks: { keys: [{ ...jwk, use: "sig", alg: "RS256", kid: "test" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    claims: { openid: ["sub"], groups: ["groups"] },
    conformIdTokenClaims: false,
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, groups: GROUPS }) }),
  };
}
