/** The token that writers must bear, when one is configured (RFC 6750). */
import { createHash, timingSafeEqual } from "node:crypto";
import type { onRequestAsyncHookHandler } from "fastify";
import { HttpProblem } from "./problem.ts";

/** A hook that lets a request through if it bears `token`, or if there is none. Takes the same time for every wrong one. */
export function tokenCheck(token: string | undefined): onRequestAsyncHookHandler {
  const expected = token === undefined ? undefined : sha256(token);
  return async (request) => {
    if (!expected) return;
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (given === undefined) throw unauthorized("writing needs a token: send it as Authorization: Bearer …", "Bearer");
    if (!timingSafeEqual(sha256(given), expected))
      throw unauthorized("the token is wrong", 'Bearer error="invalid_token"');
  };
}

/** Hashes have one length, which timingSafeEqual asks for, and don't tell the token's. */
function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function unauthorized(detail: string, challenge: string): HttpProblem {
  return new HttpProblem(401, detail, { headers: { "www-authenticate": challenge } });
}
