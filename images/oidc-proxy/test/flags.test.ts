// What the flags change: who a token names, what goes on to the API server, where the ports are.

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import tls from "node:tls";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Issuer } from "./support/issuer.ts";
import { PROXY_TOKEN, Proxy } from "./support/proxy.ts";
import { setStage } from "./support/stage.ts";
import type { Stage } from "./support/stage.ts";
import { claimsOf, signed } from "./support/tokens.ts";

const PATH = "/api/v1/namespaces";
const RELOADED_MS = 10_000;

describe("flags", { timeout: 60_000 }, () => {
  let stage: Stage;
  let token: string;

  beforeAll(async () => {
    stage = await setStage();
    token = await stage.issuer.signIn("alice");
  }, 60_000);

  beforeEach(() => {
    stage.api.received.length = 0;
    stage.api.allowed.clear();
    stage.api.tokens.clear();
  });

  async function withProxy<T>(flags: string[], use: (proxy: Proxy) => Promise<T>): Promise<T> {
    const { authority, issuer, api } = stage;
    const proxy = await Proxy.ready({ authority, issuerUrl: issuer.url, apiServerUrl: api.url, flags });
    try {
      return await use(proxy);
    } finally {
      await proxy.stop("SIGKILL");
    }
  }

  const reached = (): Record<string, unknown> => ({ ...stage.api.received[0]?.headers });

  test("--oidc-required-claim: a token without the claim, or with another value, is turned away", () =>
    withProxy(["--oidc-required-claim=tenant=blue", "--oidc-required-claim=tier=1"], async (proxy) => {
      const of = (more: object) => signed({ ...claimsOf(token), ...more }, stage.issuer.key);
      for (const more of [{}, { tenant: "blue" }, { tenant: "red", tier: "1" }, { tenant: ["blue"], tier: "1" }]) {
        expect((await proxy.get(PATH, of(more))).status).toBe(401);
      }
      expect(stage.api.received).toEqual([]);
      expect((await proxy.get(PATH, of({ tenant: "blue", tier: "1" }))).status).toBe(200);
    }));

  test("--oidc-username-prefix is the issuer's URL and # where none is given", () =>
    withProxy(["--oidc-username-prefix=", "--oidc-groups-claim="], async (proxy) => {
      await proxy.get(PATH, token);
      expect(reached()["impersonate-user"]).toBe(`${stage.issuer.url}#alice`);
      expect(reached()["impersonate-group"]).toBe("system:authenticated");
    }));

  test("--oidc-username-prefix=- is none; a name that would change on its way is turned away", () =>
    withProxy(["--oidc-username-prefix=-"], async (proxy) => {
      await proxy.get(PATH, token);
      expect(reached()["impersonate-user"]).toBe("alice");
      for (const sub of ["alice ", "", "a\nb"]) {
        const forged = signed({ ...claimsOf(token), sub }, stage.issuer.key);
        expect((await proxy.get(PATH, forged)).status).toBe(401);
      }
      expect(stage.api.received).toHaveLength(1);
    }));

  test("--oidc-signing-algs: a good token of an algorithm not listed is turned away", () =>
    withProxy(["--oidc-signing-algs=ES256"], async (proxy) => {
      expect((await proxy.get(PATH, token)).status).toBe(401);
    }));

  test("--disable-impersonation passes the client's token on and none of the proxy's", () =>
    withProxy(["--disable-impersonation"], async (proxy) => {
      expect((await proxy.get(PATH, token)).status).toBe(200);
      expect(reached()).toMatchObject({ authorization: `Bearer ${token}` });
      expect(Object.keys(reached()).filter((name) => name.startsWith("impersonate-"))).toEqual([]);
      expect((await proxy.get(PATH, "nonsense")).status).toBe(401);
      expect(JSON.stringify(stage.api.received)).not.toContain(PROXY_TOKEN);
      expect(proxy.log).not.toContain(token);
    }));

  test("--token-passthrough lets in what the API server takes for a good token", () =>
    withProxy(["--token-passthrough"], async (proxy) => {
      stage.api.tokens.set("a-service-accounts", "system:serviceaccount:default:builder");
      expect((await proxy.get(PATH, "a-service-accounts")).status).toBe(200);
      expect(reached()).toMatchObject({ authorization: "Bearer a-service-accounts" });
      expect(reached()).not.toHaveProperty("impersonate-user");
      expect((await proxy.get(PATH, "nonsense")).status).toBe(401);
      expect(stage.api.received).toHaveLength(1);
      await proxy.get(PATH, token);
      expect(stage.api.received[1]?.headers).toMatchObject({
        authorization: `Bearer ${PROXY_TOKEN}`,
        "impersonate-user": "oidc:alice",
      });
    }));

  test("--token-passthrough-audiences turns away tokens an API server has not checked them for", () =>
    withProxy(["--token-passthrough", "--token-passthrough-audiences=proxy"], async (proxy) => {
      stage.api.tokens.set("a-service-accounts", "system:serviceaccount:default:builder");
      expect((await proxy.get(PATH, "a-service-accounts")).status).toBe(401);
    }));

  test("--extra-user-headers and --extra-user-header-client-ip go with the user", () =>
    withProxy(["--extra-user-headers=via=waybill,via=proxy", "--extra-user-header-client-ip"], async (proxy) => {
      await proxy.get(PATH, token);
      expect(reached()["impersonate-extra-via"]).toBe("waybill, proxy");
      expect(reached()["impersonate-extra-remote-client-ip"]).toMatch(/^127\.0\.0\.1:\d+$/);
    }));

  test("no client can have the proxy's headers removed, or slip in another proxy's", () =>
    withProxy([], async (proxy) => {
      const answer = await proxy.get(PATH, token, {
        connection: "close, Authorization, Impersonate-User, Impersonate-Group",
        "X-Remote-User": "root",
        "X-Remote-Group": "system:masters",
        "X-Forwarded-For": "192.0.2.1",
      });
      expect(answer.status).toBe(200);
      expect(reached()).toMatchObject({
        authorization: `Bearer ${PROXY_TOKEN}`,
        "impersonate-user": "oidc:alice",
        "impersonate-group": "oidc:developers, oidc:on-call, system:authenticated",
        "x-forwarded-for": "127.0.0.1",
      });
      expect(Object.keys(reached()).filter((name) => name.startsWith("x-remote-"))).toEqual([]);
    }));

  test("paths and queries arrive as they were sent", () =>
    withProxy([], async (proxy) => {
      const path = "/api/v1/namespaces/a%2Fb/services/https:web:443/proxy//x/y?command=a&command=b%20c&q=%26";
      expect((await proxy.get(path, token)).status).toBe(200);
      expect(stage.api.received[0]?.url).toBe(path);
    }));

  test("a refusal is a Status, which kubectl prints", () =>
    withProxy([], async (proxy) => {
      const answer = await proxy.get(PATH);
      expect(answer.headers["content-type"]).toBe("application/json");
      expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code: 401, reason: "Unauthorized" });
    }));

  test("--bind-address holds for the probe's port too", () =>
    withProxy([], async (proxy) => {
      expect(await proxy.probe("/ready", "127.0.0.1")).toBe(200);
      expect(await proxy.probe("/ready", "127.0.0.2")).toBe(0);
    }));

  test("--tls-cert-file is read again when it changes", () =>
    withProxy([], async (proxy) => {
      const before = await shownBy(proxy);
      const { key, cert } = await stage.authority.issue("renewed");
      await proxy.replaceCertificate({ key, cert });
      const deadline = Date.now() + RELOADED_MS;
      while ((await shownBy(proxy)) === before && Date.now() < deadline) await wait(50);
      expect(await shownBy(proxy)).toBe("renewed");
      expect((await proxy.get(PATH, token)).status).toBe(200);
    }));

  test("a provider that is away again leaves known users in", async () => {
    const { authority, api } = stage;
    const leaving = await Issuer.start(authority);
    const proxy = await Proxy.ready({ authority, issuerUrl: leaving.url, apiServerUrl: api.url });
    const early = await leaving.signIn("alice");
    expect((await proxy.get(PATH, early)).status).toBe(200);
    leaving.close();
    expect((await proxy.get(PATH, early)).status).toBe(200);
    expect(await proxy.probe("/ready")).toBe(200);
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect((await proxy.get(PATH, signed(claimsOf(early), privateKey))).status).toBe(401);
    await proxy.stop("SIGKILL");
  });
});

/** The common name of the certificate a client is shown. */
async function shownBy(proxy: Proxy): Promise<string> {
  const { hostname, port } = new URL(proxy.origin);
  const socket = tls.connect({ host: hostname, port: Number(port), ca: proxy.ca });
  await once(socket, "secureConnect");
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}
