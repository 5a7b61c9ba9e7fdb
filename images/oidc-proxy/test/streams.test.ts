// What lasts: watches, and connections upgraded for exec, attach and port-forward.

import { once } from "node:events";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EVENT } from "./support/api-server.ts";
import { responseTo } from "./support/https.ts";
import { PROXY_TOKEN, Proxy } from "./support/proxy.ts";
import { setStage } from "./support/stage.ts";
import type { Stage } from "./support/stage.ts";
import { upgrade } from "./support/upgrade.ts";

const WATCH = "/api/v1/namespaces?watch=true";
const EXEC = "/api/v1/namespaces/default/pods/web/exec?command=cat&stdin=true";

describe("what lasts", { timeout: 60_000 }, () => {
  let stage: Stage;
  let proxy: Proxy;
  let token: string;

  const startProxy = (flags: string[] = []): Promise<Proxy> =>
    Proxy.ready({ authority: stage.authority, issuerUrl: stage.issuer.url, apiServerUrl: stage.api.url, flags });
  const watch = (through: Proxy) =>
    responseTo(through.ca, through.origin + WATCH, { headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    stage = await setStage();
    // So long that nothing but a flush at once lets a test pass.
    proxy = await startProxy(["--flush-interval=1h"]);
    token = await stage.issuer.signIn("alice");
  }, 60_000);

  beforeEach(() => void (stage.api.received.length = 0));
  afterAll(() => proxy?.stop("SIGKILL"));

  test("a watch's events arrive as they happen", async () => {
    const events = await watch(proxy);
    const [event] = (await once(events, "data")) as [Buffer];
    expect(event.toString()).toBe(EVENT);
    events.destroy();
  });

  test("requests share an HTTP/2 connection to the API server", async () => {
    await proxy.get("/version", token);
    expect(stage.api.received[0]?.httpVersion).toBe("2.0");
  });

  test.each(["SPDY/3.1", "websocket"])("%s passes both ways, as the user", async (protocol) => {
    const { response, socket } = await upgrade(proxy.ca, proxy.origin + EXEC, protocol, token);
    expect(response.headers.upgrade).toBe(protocol);
    socket.write("ping");
    expect(String((await once(socket, "data"))[0])).toBe("ping");
    socket.destroy();
    const [{ url, httpVersion, headers } = fail()] = stage.api.received;
    expect({ url, httpVersion }).toEqual({ url: EXEC, httpVersion: "1.1" });
    expect(headers["impersonate-user"]).toBe("oidc:alice");
    expect(headers.authorization).toBe(`Bearer ${PROXY_TOKEN}`);
  });

  test("on SIGTERM a watch ends in good order, and doesn't hold the program up", async () => {
    const own = await startProxy();
    const events = await watch(own);
    const rest = text(events);
    while (stage.api.received.length === 0) await wait(10);
    const stopped = own.stop("SIGTERM");
    expect(await rest).toBe(EVENT);
    expect(events.complete).toBe(true);
    expect(await stopped).toEqual({ exitCode: 0, signal: null });
  });

  test("on SIGTERM an upgraded connection goes on until it ends", async () => {
    const own = await startProxy();
    const { socket } = await upgrade(own.ca, own.origin + EXEC, "SPDY/3.1", token);
    const stopped = own.stop("SIGTERM");
    while (!own.log.includes("Stopped listening")) await wait(10);
    socket.write("still here");
    expect(String((await once(socket, "data"))[0])).toBe("still here");
    socket.end();
    expect(await stopped).toEqual({ exitCode: 0, signal: null });
  });

  test("on SIGTERM what outlasts the grace period is broken off", async () => {
    const own = await startProxy(["--shutdown-grace-period=200ms"]);
    const { socket } = await upgrade(own.ca, own.origin + EXEC, "SPDY/3.1", token);
    socket.on("error", () => socket.destroy());
    expect(await own.stop("SIGTERM")).toEqual({ exitCode: 0, signal: null });
    expect(own.log).toContain("Broke off");
  });
});

function fail(): never {
  throw new Error("nothing reached the API server");
}
