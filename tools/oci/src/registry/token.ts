// Fetches a token from the token server a registry names (distribution's "Token Authentication Specification" and its OAuth2
// variant).

import { z } from "zod";
import { check, parseJson } from "../document.ts";
import { WaybillError } from "../error.ts";
import type { Answer } from "./answer.ts";
import { readBounded } from "./body.ts";
import type { Credentials } from "./credentials.ts";
import { redactUrl } from "./error.ts";

const MAX_TOKEN_BYTES = 256 * 1024;
/** The specification's default and minimum life of a token, in seconds. */
const DEFAULT_LIFE_S = 60;
/** A token is given up this long before it expires, so that it does not expire on its way. */
const MARGIN_MS = 10_000;

/** What may stand in a header: a refusal of anything else by the HTTP client would show the token. */
const token68 = z.string().regex(/^[!-~]+$/, "not a token");
const answerSchema = z.object({
  token: token68.optional(),
  access_token: token68.optional(),
  expires_in: z.number().optional(),
});

export interface Token {
  value: string;
  /** Milliseconds since the epoch. */
  expires: number;
}

export interface TokenRequest {
  realm: URL;
  service: string | undefined;
  scopes: readonly string[];
}

interface Question {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string;
}

/** Sends a question to a token server, again where it fails for a while. */
export type Exchange = (question: Question) => Promise<Answer>;

/** @param credentials without them the server is asked for an anonymous token */
export async function fetchToken(
  request: TokenRequest,
  credentials: Credentials | undefined,
  exchange: Exchange,
): Promise<Token> {
  const refresh = credentials?.kind === "identity";
  const question = refresh ? refreshQuestion(request, credentials.token) : plainQuestion(request, credentials);
  const response = await exchange(question);
  const where = redactUrl(request.realm);
  const answer = check(answerSchema, parseJson(await readBounded(response, MAX_TOKEN_BYTES), where), where);
  const value = answer.token ?? answer.access_token;
  if (value === undefined) throw new WaybillError("the token server gave no token", { where });
  const life = (answer.expires_in ?? DEFAULT_LIFE_S) * 1000;
  return { value, expires: Date.now() + Math.max(life - MARGIN_MS, life / 2) };
}

function plainQuestion({ realm, service, scopes }: TokenRequest, credentials: Credentials | undefined): Question {
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

/** RFC 7617 */
export function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, "utf8").toString("base64")}`;
}
