// What the proxy lets through to the API server, and what it must not.

import { generateKeyPairSync } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Authority, freePort } from "@waybill/testing";
import type { ApiServer } from "./support/api-server.ts";
import { GROUPS, Issuer, OTHER_CLIENT } from "./support/issuer.ts";
import { PROXY_TOKEN, Proxy } from "./support/proxy.ts";
import { setStage } from "./support/stage.ts";
import { bitFlipped, claimsOf, confused, signed, unsigned, withClaims } from "./support/tokens.ts";

const PATH = "/api/v1/namespaces";
const MINUTE_S = 60;

describe("oidc-proxy", { timeout: 60_000 }, () => {
  let authority: Authority;
  let issuer: Issuer;
  let foreign: Issuer;
  let api: ApiServer;
  let proxy: Proxy;
  let token: string;

  beforeAll(async () => {
    ({ authority, issuer, api } = await setStage());
    foreign = await Issuer.start(authority);
    proxy = await Proxy.ready({ authority, issuerUrl: issuer.url, apiServerUrl: api.url });
    token = await issuer.signIn("alice");
  }, 60_000);

  afterAll(async () => {
    await proxy?.stop("SIGKILL");
    foreign?.close();
  });

  beforeEach(() => {
    api.received.length = 0;
    api.allowed.clear();
  });

  describe("a good token", () => {
    test("reaches the API server as the user, with the groups of the token", async () => {
      expect((await proxy.get(PATH, token)).status).toBe(200);
      expect(api.received).toHaveLength(1);
      expect(api.received[0]).toMatchObject({ method: "GET", url: PATH });
      expect(api.received[0]?.headers["impersonate-user"]).toBe("oidc:alice");
      expect(impersonatedGroups()).toEqual([...GROUPS.map((group) => `oidc:${group}`), "system:authenticated"]);
    });

    test("is not forwarded: the proxy shows its own credentials", async () => {
      await proxy.get(PATH, token);
      expect(api.received[0]?.headers.authorization).toBe(`Bearer ${PROXY_TOKEN}`);
      expect(JSON.stringify(api.received)).not.toContain(token);
    });

    test("is not logged", async () => {
      await proxy.get(PATH, token);
      expect(proxy.log).toContain("alice");
      expect(proxy.log).not.toContain(token);
    });
  });

  describe("turned away with 401, before the API server", () => {
    const refused: Record<string, () => string | undefined | Promise<string>> = {
      "no token": () => undefined,
      "no JWT at all": () => "nonsense",
      "the proxy's own credentials": () => PROXY_TOKEN,
      "an expired token": () => {
        const now = Math.floor(Date.now() / 1000);
        return signed({ ...claimsOf(token), iat: now - 2 * MINUTE_S, exp: now - MINUTE_S }, issuer.key);
      },
      "a token for another audience": () => issuer.signIn("alice", OTHER_CLIENT),
      "a foreign issuer's token": () => foreign.signIn("alice"),
      "a foreign issuer's key under our issuer's name": () => signed(claimsOf(token), foreign.key),
      "an unknown key": () => signed(claimsOf(token), newKey()),
      "alg: none": () => unsigned(claimsOf(token)),
      "HS256 with the public key as the secret": () => confused(claimsOf(token), issuer.key),
      "a signature with a bit turned": () => bitFlipped(token),
      "another user's name under the same signature": () => withClaims(token, { ...claimsOf(token), sub: "root" }),
      "more groups under the same signature": () =>
        withClaims(token, { ...claimsOf(token), groups: ["system:masters"] }),
      "a token without its signature": () => token.slice(0, token.lastIndexOf(".") + 1),
    };

    test.each(Object.entries(refused))("%s", async (_name, forge) => {
      expect((await proxy.get(PATH, await forge())).status).toBe(401);
      expect(api.received).toEqual([]);
    });

    test("while a token signed here as the provider signs passes: the forgeries fail for their own reasons", async () => {
      expect((await proxy.get(PATH, signed(claimsOf(token), issuer.key))).status).toBe(200);
    });
  });

  describe("impersonation headers of the client", () => {
    test("are refused where the user may not impersonate", async () => {
      const answer = await proxy.get(PATH, token, { "Impersonate-User": "root" });
      expect(answer.status).toBe(403);
      expect(answer.body).toContain("oidc:alice is not allowed to impersonate user 'root'");
      expect(api.received).toEqual([]);
    });

    test("are refused when a permitted user comes with a group that is not", async () => {
      api.allowed.add("oidc:alice impersonate users/bob");
      const headers = { "Impersonate-User": "bob", "Impersonate-Group": "system:masters" };
      expect((await proxy.get(PATH, token, headers)).status).toBe(403);
      expect(api.received).toEqual([]);
    });

    test("never reach the API server without a user to impersonate", async () => {
      const answer = await proxy.get(PATH, token, { "Impersonate-Group": "system:masters" });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(api.received).toEqual([]);
    });

    test("are worth nothing without a token", async () => {
      expect((await proxy.get(PATH, undefined, { "Impersonate-User": "alice" })).status).toBe(401);
      expect(api.received).toEqual([]);
    });

    test("name the user where a review allows it, and the one who asked goes into the record", async () => {
      api.allowed.add("oidc:alice impersonate users/bob");
      expect((await proxy.get(PATH, token, { "Impersonate-User": "bob" })).status).toBe(200);
      expect(api.received[0]?.headers["impersonate-user"]).toBe("bob");
      expect(api.received[0]?.headers["impersonate-extra-originaluser.jetstack.io-user"]).toBe("oidc:alice");
      expect(impersonatedGroups()).toEqual(["system:authenticated"]);
    });
  });

  describe("life", () => {
    test("is alive but not ready until the issuer answers, then ready", async () => {
      const port = await freePort();
      const issuerUrl = `https://127.0.0.1:${port}`;
      const early = await Proxy.start({ authority, issuerUrl, apiServerUrl: api.url });
      await early.probed("/live", 200);
      expect(await early.probe("/ready")).toBe(503);
      const late = await Issuer.start(authority, port);
      await early.probed("/ready", 200);
      expect((await early.get(PATH, await late.signIn("alice"))).status).toBe(200);
      late.close();
      await early.stop();
    });

    test("on SIGTERM ends what is under way, then exits with 0", async () => {
      const own = await Proxy.ready({ authority, issuerUrl: issuer.url, apiServerUrl: api.url });
      const release = api.hold();
      const underWay = own.get(PATH, token);
      while (api.received.length === 0) await wait(10);
      const stopped = own.stop("SIGTERM");
      while (!own.log.includes("Stopped listening")) await wait(10);
      release();
      expect((await underWay).status).toBe(200);
      expect(await stopped).toEqual({ exitCode: 0, signal: null });
    });
  });

  /** As sent, in order; node joins repeated headers by ", ". */
  function impersonatedGroups(): string[] {
    return String(api.received[0]?.headers["impersonate-group"]).split(", ");
  }
});

function newKey(): Parameters<typeof signed>[1] {
  return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
}
