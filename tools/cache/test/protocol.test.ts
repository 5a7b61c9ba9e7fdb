// Nx's protocol: what it is told decides whether a run goes on.

import { onTestFinished, describe, expect, it } from "vitest";
import { type Cache, startServer } from "../src/server.ts";

async function serve(changes: Partial<Cache> = {}) {
  const stored = new Map<string, Buffer>();
  const cache: Cache = {
    writable: true,
    get: async (hash) => stored.get(hash),
    put: (hash, tarball) => void stored.set(hash, tarball),
    ...changes,
  };
  const server = await startServer(cache);
  onTestFinished(server.stop);
  const ask = async (method: string, path: string, body?: Uint8Array<ArrayBuffer>, token = server.token) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" };
    return await fetch(server.url + path, { method, headers, body: body ?? null });
  };
  return { server, stored, ask };
}

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

describe("the server", () => {
  it("is on this machine alone", async () => {
    const { server } = await serve();
    expect(new URL(server.url).hostname).toBe("127.0.0.1");
  });

  it("answers 404 for what it hasn't, and 200 with the bytes for what it has", async () => {
    const { ask } = await serve();
    expect((await ask("GET", "/v1/cache/123")).status).toBe(404);
    expect((await ask("PUT", "/v1/cache/123", bytes("tarball"))).status).toBe(200);
    const answer = await ask("GET", "/v1/cache/123");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(await answer.text()).toBe("tarball");
  });

  it("knows nobody without the token", async () => {
    const { ask, server, stored } = await serve();
    await ask("PUT", "/v1/cache/1", bytes("x"));
    for (const token of ["", "x", `${server.token}x`, server.token.toUpperCase()]) {
      const answer = await ask("GET", "/v1/cache/1", undefined, token);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toBe("text/plain");
      expect((await ask("PUT", "/v1/cache/2", bytes("x"), token)).status).toBe(401);
    }
    expect((await fetch(`${server.url}/v1/cache/1`)).status).toBe(401);
    expect([...stored.keys()]).toEqual(["1"]);
  });

  it("has another token each time", async () => {
    const [one, other] = [await serve(), await serve()];
    expect(one.server.token).not.toBe(other.server.token);
    expect((await one.ask("GET", "/v1/cache/1", undefined, other.server.token)).status).toBe(401);
  });

  it.each(["/v1/cache/", "/v1/cache/../x", "/v1/cache/a%2fb", "/v1/cache/a:b", `/v1/cache/${"1".repeat(65)}`, "/"])(
    "takes no %s for a hash",
    async (path) => {
      const { ask, stored } = await serve();
      expect((await ask("GET", path)).status).toBe(404);
      await ask("PUT", path, bytes("x"));
      expect(stored.size).toBe(0);
    },
  );

  it("answers 403 where nothing can be stored, and where it is too much", async () => {
    const { ask } = await serve({ writable: false });
    expect((await ask("PUT", "/v1/cache/1", bytes("x"))).status).toBe(403);
    const roomy = await serve();
    expect((await roomy.ask("PUT", "/v1/cache/1", new Uint8Array(33 * 1024 * 1024))).status).toBe(403);
    expect(roomy.stored.size).toBe(0);
  });

  it("turns a fault of its own into a miss", async () => {
    const { ask } = await serve({
      get: () => Promise.reject(new Error("a bug")),
      put: () => {
        throw new Error("a bug");
      },
    });
    expect((await ask("GET", "/v1/cache/1")).status).toBe(404);
    expect((await ask("PUT", "/v1/cache/1", bytes("x"))).status).toBe(403);
  });

  it("stops though Nx keeps its connections", async () => {
    const { server, ask } = await serve();
    await ask("GET", "/v1/cache/1");
    await server.stop();
    await expect(ask("GET", "/v1/cache/1")).rejects.toThrow("fetch failed");
  });
});
