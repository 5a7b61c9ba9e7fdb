// Answers a registry's challenge: Basic with the user's credentials, or Bearer with a token, which is kept until shortly before it
// expires.

import { WaybillError } from "../error.ts";
import type { Answer } from "./answer.ts";
import { parseChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials, CredentialSource } from "./credentials.ts";
import { RegistryError } from "./error.ts";
import { mayReceiveCredentials } from "./realm.ts";
import { basicHeader, fetchToken } from "./token.ts";
import type { Exchange, Token } from "./token.ts";

export class Authorizer {
  readonly #registry: string;
  readonly #origin: URL;
  readonly #source: CredentialSource;
  readonly #known = new Map<string, Promise<Credentials | undefined>>();
  readonly #exchange: Exchange;
  readonly #tokens = new Map<string, Promise<Token>>();
  #challenge: Challenge | undefined;

  constructor(registry: string, origin: URL, credentials: CredentialSource, exchange: Exchange) {
    this.#registry = registry;
    this.#origin = origin;
    this.#source = credentials;
    this.#exchange = exchange;
  }

  /** The Authorization header for requests that need `scopes`; `undefined` until the registry has asked for one. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (this.#challenge === undefined) return undefined;
    if (this.#challenge.scheme === "basic") return await this.#basic(scopes);
    return await this.#bearer(this.#challenge, scopes);
  }

  /**
   * Learns from a 401, and forgets the token that was refused.
   * @param offered the Authorization header the refused request had
   * @returns false if the registry names no way in
   */
  async learn(response: Answer, scopes: readonly string[], offered?: string): Promise<boolean> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const wanted =
      challenges.find(({ scheme }) => scheme === "bearer") ?? challenges.find(({ scheme }) => scheme === "basic");
    if (wanted === undefined) return false;
    this.#challenge = wanted;
    const kept = await this.#tokens.get(keyOf(scopes))?.catch(() => undefined);
    if (kept !== undefined && bearerHeader(kept) === offered) this.#tokens.delete(keyOf(scopes));
    return true;
  }

  async #basic(scopes: readonly string[]): Promise<string | undefined> {
    const found = await this.#credentials(scopes);
    return found?.kind === "basic" ? basicHeader(found) : undefined;
  }

  async #bearer(challenge: Challenge, scopes: readonly string[]): Promise<string> {
    const key = keyOf(scopes);
    const kept = await this.#tokens.get(key);
    if (kept !== undefined && kept.expires > Date.now()) return bearerHeader(kept);
    // The promise is kept, not the token: parallel uploads ask the token server once.
    const fetched = this.#fetchToken(challenge, scopes);
    this.#tokens.set(key, fetched);
    fetched.catch(() => this.#tokens.delete(key));
    return bearerHeader(await fetched);
  }

  async #fetchToken({ parameters }: Challenge, scopes: readonly string[]): Promise<Token> {
    const realm = this.#realm(parameters["realm"]);
    const trusted = mayReceiveCredentials(realm, this.#origin);
    const credentials = trusted ? await this.#credentials(scopes) : undefined;
    const request = {
      realm,
      service: parameters["service"],
      scopes: scopes.length > 0 ? scopes : scopesOf(parameters),
    };
    return await fetchToken(request, credentials, this.#exchange).catch((error: unknown) => {
      throw this.#explain(error, realm, trusted);
    });
  }

  /** Asked once for each repository: a credential helper is a program, and may ask the user. */
  async #credentials(scopes: readonly string[]): Promise<Credentials | undefined> {
    const repository = repositoryOf(scopes);
    const known = this.#known.get(repository ?? "") ?? this.#source(this.#registry, repository);
    this.#known.set(repository ?? "", known);
    return await known;
  }

  /** The token server's refusal, with a mend that names the registry the user knows. */
  #explain(error: unknown, realm: URL, trusted: boolean): unknown {
    if (!(error instanceof RegistryError) || (error.status !== 401 && error.status !== 403)) return error;
    const withheld = `${realm.host} is not of ${this.#registry}'s site, so it was given no credentials`;
    return error.withMend(trusted ? `log in with \`docker login ${this.#registry}\`` : withheld);
  }

  #realm(text: string | undefined): URL {
    const realm = text === undefined ? null : URL.parse(text, this.#origin.href);
    if (realm !== null && /^https?:$/.test(realm.protocol)) return realm;
    throw new WaybillError("the registry asks for a token but names no token server", { where: this.#registry });
  }
}

function bearerHeader({ value }: Token): string {
  return `Bearer ${value}`;
}

function keyOf(scopes: readonly string[]): string {
  return scopes.join(" ");
}

/** What the request is about; where it mounts from another repository too, that comes second. */
function repositoryOf([scope]: readonly string[]): string | undefined {
  return /^repository:([^:]+):/.exec(scope ?? "")?.[1];
}

function scopesOf({ scope }: Record<string, string>): string[] {
  return scope?.split(" ") ?? [];
}
