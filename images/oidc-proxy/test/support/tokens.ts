// Tokens that no honest provider issues, for what the proxy must turn away. JWS compact form, RFC 7515 section 7.1.

import { createHmac, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

export type Claims = Record<string, unknown>;

/** The claims of `token`, unverified. */
export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(part(token, 1), "base64url").toString()) as Claims;
}

/** A token signed as the provider signs (RS256, key id `test`). */
export function signed(claims: Claims, key: KeyObject): string {
  const input = `${encode({ alg: "RS256", typ: "JWT", kid: "test" })}.${encode(claims)}`;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

/** `alg: none` with an empty signature, RFC 7519 section 6. */
export function unsigned(claims: Claims): string {
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`;
}

/** HS256 with the provider's public key as the secret: the algorithm confusion of RFC 8725 section 2.1. */
export function confused(claims: Claims, key: KeyObject): string {
  const secret = createPublicKey(key).export({ type: "spki", format: "pem" });
  const input = `${encode({ alg: "HS256", typ: "JWT", kid: "test" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** The same header and claims, one bit of the signature turned. */
export function bitFlipped(token: string): string {
  const signature = Buffer.from(part(token, 2), "base64url");
  signature[0] = (signature[0] ?? 0) ^ 1;
  return `${part(token, 0)}.${part(token, 1)}.${signature.toString("base64url")}`;
}

/** Other claims under the signature of `token`. */
export function withClaims(token: string, claims: Claims): string {
  return `${part(token, 0)}.${encode(claims)}.${part(token, 2)}`;
}

function part(token: string, index: number): string {
  return token.split(".")[index] ?? "";
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
