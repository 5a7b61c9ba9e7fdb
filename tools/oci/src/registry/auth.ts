// Answers a registry's challenge: Basic with the user's credentials, or Bearer with a token fetched from its token server
// (distribution's "Token Authentication Specification" and its OAuth2 variant). Tokens are kept until shortly before they expire.

import { z } from "zod";
import { check, parseJson } from "../document.ts";
import { WaybillError } from "../error.ts";
import { readBounded } from "./body.ts";
import { parseChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { redactUrl, RegistryError } from "./error.ts";
import { mayReceiveCredentials } from "./realm.ts";

const MAX_TOKEN_BYTES = 256 * 1024;
/** The specification's default and minimum life of a token, in seconds. */
const DEFAULT_LIFE_S = 60;
/** A token is given up this long before it expires, so that it does not expire on its way. */
const MARGIN_MS = 10_000;

const tokenSchema = z.object({
  token: z.string().optional(),
  access_token: z.string().optional(),
  expires_in: z.number().optional(),
});

interface Token {
  header: string;
  /** Milliseconds since the epoch. */
  expires: number;
}

interface Question {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

/** Sends a question to a token server, again where it fails for a while. */
export type Exchange = (question: Question) => Promise<Response>;

export class Authorizer {
  readonly #registry: string;
  readonly #origin: URL;
  readonly #credentials: CredentialSource;
  readonly #exchange: Exchange;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;

  constructor(registry: string, origin: URL, credentials: CredentialSource, exchange: Exchange) {
    this.#registry = registry;
    this.#origin = origin;
    this.#credentials = credentials;
    this.#exchange = exchange;
  }

  /** The Authorization header for requests that need `scopes`; `undefined` until the registry has asked for one. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return await this.#basic();
    return await this.#bearer(this.#challenge, scopes);
  }

  /**
   * Learns from a 401, and forgets the token that was refused.
   * @param offered the Authorization header the refused request had
   * @returns false if the registry names no way in
   */
  async learn(response: Response, scopes: readonly string[], offered?: string): Promise<boolean> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const wanted =
      challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
    if (wanted === undefined) return false;
    this.#challenge = wanted;
    const kept = await this.#tokens.get(keyOf(scopes))?.catch(() => undefined);
    if (kept?.header === offered) this.#tokens.delete(keyOf(scopes));
    return true;
  }

  async #basic(): Promise<string | undefined> {
    const found = await this.#credentials(this.#registry);
    return found?.kind === "basic" ? basicHeader(found) : undefined;
  }

  async #bearer(challenge: Challenge, scopes: readonly string[]): Promise<string> {
    const key = keyOf(scopes);
    const kept = await this.#tokens.get(key);
    if (kept !== undefined && kept.expires > Date.now()) return kept.header;
    // The promise is kept, not the token: parallel uploads ask the token server once.
    const fetched = this.#fetchToken(challenge, scopes);
    this.#tokens.set(key, fetched);
    fetched.catch(() => this.#tokens.delete(key));
    return (await fetched).header;
  }

  async #fetchToken({ parameters }: Challenge, scopes: readonly string[]): Promise<Token> {
    const realm = this.#realm(parameters["realm"]);
    const trusted = mayReceiveCredentials(realm, this.#origin);
    const credentials = trusted ? await this.#credentials(this.#registry) : undefined;
    const request = {
      realm,
      service: parameters["service"],
      scopes: scopes.length > 0 ? scopes : scopesOf(parameters),
    };
    const response = await this.#exchange(questionFor(request, credentials)).catch((error: unknown) => {
      throw this.#explain(error, realm, trusted);
    });
    const where = redactUrl(realm);
    const answer = check(tokenSchema, parseJson(await readBounded(response, MAX_TOKEN_BYTES), where), where);
    const token = answer.token ?? answer.access_token;
    if (!token) throw new WaybillError("the token server gave no token", { where });
    const life = (answer.expires_in ?? DEFAULT_LIFE_S) * 1000;
    return { header: `Bearer ${token}`, expires: Date.now() + Math.max(life - MARGIN_MS, life / 2) };
  }

  /** The token server's refusal, with a mend that names the registry the user knows. */
  #explain(error: unknown, realm: URL, trusted: boolean): unknown {
    if (!(error instanceof RegistryError)) return error;
    const withheld = `${realm.host} is not of ${this.#registry}'s site, so it was given no credentials`;
    return error.withMend(trusted ? `log in with \`docker login ${this.#registry}\`` : withheld);
  }

  #realm(text: string | undefined): URL {
    const realm = text === undefined ? null : URL.parse(text, this.#origin.href);
    if (realm !== null && /^https?:$/.test(realm.protocol)) return realm;
    throw new WaybillError("the registry asks for a token but names no token server", { where: this.#registry });
  }
}

interface TokenRequest {
  realm: URL;
  service: string | undefined;
  scopes: readonly string[];
}

function questionFor(request: TokenRequest, credentials: Credentials | undefined): Question {
  return credentials?.kind === "identity"
    ? refreshQuestion(request, credentials.token)
    : plainQuestion(request, credentials);
}

function plainQuestion({ realm, service, scopes }: TokenRequest, credentials?: Credentials): Question {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  return {
    method: "GET",
    url,
    headers: credentials?.kind === "basic" ? { authorization: basicHeader(credentials) } : {},
  };
}

/** The OAuth2 variant: an identity token is a refresh token (RFC 6749 section 6). */
function refreshQuestion({ realm, service = "", scopes }: TokenRequest, token: string): Question {
  const form = {
    grant_type: "refresh_token",
    refresh_token: token,
    client_id: "waybill",
    service,
    scope: scopes.join(" "),
  };
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  return { method: "POST", url: realm, headers, body: new URLSearchParams(form).toString() };
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(" ");
}

function scopesOf({ scope }: Record<string, string>): string[] {
  return scope?.split(" ") ?? [];
}
