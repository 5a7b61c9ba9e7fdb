// What a registry may do to us, and what we make of it.

import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { digestOf, MEDIA_TYPE } from "@waybill/oci";
import { redactUrl, RegistryClient, RegistryError } from "@waybill/oci/registry";
import { resolveLocation } from "../src/registry/location.ts";
import { clientOf, faultyRegistry, hangUp, inTurn, status } from "./faulty-registry.ts";
import type { FaultyRegistry } from "./faulty-registry.ts";
import { blobOf, temporaryStore } from "./fixtures.ts";

const BLOB = Buffer.from("0123456789".repeat(1000));
const DIGEST = digestOf(BLOB);
const MANIFEST = JSON.stringify({ schemaVersion: 2, manifests: [] });
const BASIC = `Basic ${Buffer.from("me:secret").toString("base64")}`;

const CHUNK = Buffer.alloc(1_000_000);

function* chunks(): Generator<Buffer> {
  for (let i = 0; i < 100; i++) yield CHUNK;
}

async function readBlob(client: RegistryClient): Promise<Buffer> {
  return Buffer.concat(await client.blobs.get("team/api", DIGEST, BLOB.length).toArray());
}

async function failureOf(promise: Promise<unknown>): Promise<RegistryError> {
  return await promise.then(
    () => expect.fail("it should have failed"),
    (error: unknown) => error as RegistryError,
  );
}

describe("a registry that wants a token", () => {
  /** Its token server is at `realm`, by default itself; it hands out and takes `token.valid` alone. */
  async function tokenRegistry(realm = (host: string) => `http://${host}/token`, token = { valid: "good" }) {
    const registry = await faultyRegistry((asked, response) => {
      if (asked.path.startsWith("/token")) return response.end(JSON.stringify({ token: token.valid }));
      if (asked.authorization === `Bearer ${token.valid}`) return response.end("{}");
      const challenge = `Bearer realm="${realm(registry.host)}",service="reg",scope="ignored"`;
      response.writeHead(401, { "www-authenticate": challenge }).end();
    });
    return registry;
  }

  const tokenFetches = ({ asked }: FaultyRegistry) => asked.filter(({ path }) => path.startsWith("/token"));

  it("gets one, fetched once for many requests, with the scope they need", async () => {
    const registry = await tokenRegistry();
    const client = clientOf(registry);
    await Promise.all([1, 2, 3, 4].map(() => client.listTags("team/api")));
    await client.listTags("team/api");
    expect(tokenFetches(registry)).toMatchObject([
      { path: "/token?service=reg&scope=repository%3Ateam%2Fapi%3Apull", authorization: BASIC, method: "GET" },
    ]);
    expect(registry.asked.at(-1)?.authorization).toBe("Bearer good");
  });

  it("gets a new one when it no longer takes the old", async () => {
    const token = { valid: "first" };
    const registry = await tokenRegistry(undefined, token);
    const client = clientOf(registry);
    await client.listTags("team/api");
    token.valid = "second";
    await client.listTags("team/api");
    expect(tokenFetches(registry)).toHaveLength(2);
    expect(registry.asked.at(-1)?.authorization).toBe("Bearer second");
  });

  it("gets it by POST for an identity token", async () => {
    const registry = await tokenRegistry();
    await clientOf(registry, { credentials: async () => ({ kind: "identity", token: "refresh" }) }).listTags(
      "team/api",
    );
    const fetch = registry.asked.find(({ path }) => path === "/token");
    expect(fetch).toMatchObject({ method: "POST", authorization: undefined });
    expect(fetch?.body).toContain("grant_type=refresh_token&refresh_token=refresh");
  });

  it("can't send our credentials to a host that is not its own", async () => {
    const thief = await faultyRegistry(status(401));
    const registry = await tokenRegistry(() => `http://localhost:${thief.port}/token`);
    const failure = await failureOf(clientOf(registry).listTags("team/api"));
    expect(failure.message).toMatch(
      /401.*: localhost:\d+ is not of 127\.0\.0\.1:\d+'s site, so it was given no credentials$/,
    );
    expect(thief.asked.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it("that names no token server is an error", async () => {
    const registry = await faultyRegistry(status(401, { "www-authenticate": "Bearer service=x" }));
    await expect(clientOf(registry).ping()).rejects.toThrow("the registry asks for a token but names no token server");
  });
});

describe("a redirect", () => {
  it("to another origin takes no credentials along", async () => {
    const storage = await faultyRegistry((_asked, response) => response.end(BLOB));
    const away = status(307, { location: `http://${storage.host}/signed?signature=x` });
    const challenge = status(401, { "www-authenticate": "Basic realm=x" });
    const registry = await faultyRegistry((asked, response) =>
      (asked.authorization ? away : challenge)(asked, response),
    );
    expect(await readBlob(clientOf(registry))).toEqual(BLOB);
    expect(registry.asked.at(-1)?.authorization).toBe(BASIC);
    expect(storage.asked.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it("without an end is given up", async () => {
    const registry = await faultyRegistry((asked, response) => status(302, { location: asked.path })(asked, response));
    await expect(readBlob(clientOf(registry))).rejects.toThrow("more than 5 redirects");
  });

  it("never leads from https to http elsewhere, and on the same host stays https", () => {
    const from = new URL("https://registry.example:5000/v2/");
    expect(resolveLocation("http://registry.example/upload?_state=x", from).href).toBe(
      "https://registry.example:5000/upload?_state=x",
    );
    expect(resolveLocation("../up", from).href).toBe("https://registry.example:5000/up");
    expect(() => resolveLocation("http://other.example/", from)).toThrow("refused to go from https to http");
    expect(() => resolveLocation("file:///etc/passwd", from)).toThrow("sent us to no URL");
  });
});

describe("a fault that passes", () => {
  it.each([
    ["429", status(429, { "retry-after": "0" })],
    ["503", status(503)],
    ["500", status(500)],
    ["a broken connection", hangUp],
  ])("(%s) is waited out", async (_name, fault) => {
    const registry = await faultyRegistry(inTurn(fault, fault, status(200, {}, '{"tags":["a"]}')));
    expect(await clientOf(registry).listTags("team/api")).toEqual(["a"]);
    expect(registry.asked).toHaveLength(3);
  });

  it("that does not pass is reported after a few tries", async () => {
    const registry = await faultyRegistry(status(503));
    expect(await failureOf(clientOf(registry).ping())).toMatchObject({ status: 503, temporary: true });
    expect(registry.asked).toHaveLength(3);
  });

  it("is not waited for longer than is sensible", async () => {
    const registry = await faultyRegistry(status(429, { "retry-after": "3600" }));
    const failure = await failureOf(clientOf(registry).ping());
    expect(failure).toMatchObject({ status: 429, retryAfterMs: 3_600_000, mend: expect.stringContaining("log in") });
    expect(registry.asked).toHaveLength(1);
  });

  it("of one who never answers is not waited for", async () => {
    const registry = await faultyRegistry(() => {});
    const failure = await failureOf(clientOf(registry, { answerTimeoutMs: 50 }).ping());
    expect(failure.message).toMatch(/^no answer from the registry within 50 ms, GET http:/);
    expect(registry.asked).toHaveLength(1);
  });

  it("on a port where nobody listens ends in one line", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const client = clientOf({ host: `127.0.0.1:${port}`, port, asked: [] });
    await expect(client.ping()).rejects.toThrow(
      /^no answer from the registry \(connect ECONNREFUSED .*\), GET http:\/\/127/,
    );
  });
});

describe("a blob", () => {
  it("that breaks off goes on where it stopped", async () => {
    const registry = await faultyRegistry((asked, response) => {
      const start = Number(/bytes=(\d+)-/.exec(asked.range ?? "")?.[1] ?? 0);
      response.writeHead(start === 0 ? 200 : 206, { "content-length": String(BLOB.length - start) });
      response.write(BLOB.subarray(start, start + 4000), () => response.destroy());
      if (start >= 8000) response.end();
    });
    expect((await readBlob(clientOf(registry))).equals(BLOB)).toBe(true);
    expect(registry.asked.map(({ range }) => range)).toEqual([undefined, "bytes=4000-", "bytes=8000-"]);
  });

  it("that breaks off is completed from a server without ranges too", async () => {
    const registry = await faultyRegistry((asked, response) => {
      if (asked.range !== undefined) return response.end(BLOB);
      response.writeHead(200, { "content-length": String(BLOB.length) });
      response.write(BLOB.subarray(0, 4000), () => response.destroy());
    });
    expect((await readBlob(clientOf(registry))).equals(BLOB)).toBe(true);
  });

  it("that never gets any longer is given up", async () => {
    const registry = await faultyRegistry((_asked, response) => response.end(BLOB.subarray(0, 100)));
    await expect(readBlob(clientOf(registry))).rejects.toThrow(/the registry sent 100 of 10000 bytes, 127\.0\.0\.1/);
  });

  it.each([
    ["other bytes", Buffer.alloc(BLOB.length)],
    ["more bytes", Buffer.concat([BLOB, BLOB])],
  ])("of %s never reaches the store", async (_name, bytes) => {
    const registry = await faultyRegistry((_asked, response) => response.end(bytes));
    const store = await temporaryStore();
    const stream = clientOf(registry).blobs.get("team/api", DIGEST, BLOB.length);
    await expect(store.write(DIGEST, stream, BLOB.length)).rejects.toThrow(/expected .*127\.0\.0\.1/);
    expect(await store.has(DIGEST)).toBe(false);
  });

  it("can be called off half-way", async () => {
    const stopper = new AbortController();
    const registry = await faultyRegistry((_asked, response) => {
      response.writeHead(200, { "content-length": String(BLOB.length) });
      response.write(BLOB.subarray(0, 10), () => stopper.abort(new Error("called off")));
    });
    await expect(readBlob(clientOf(registry, { signal: stopper.signal }))).rejects.toThrow("called off");
    expect(registry.asked).toHaveLength(1);
  });
});

describe("an upload", () => {
  it("that fails begins anew with a new session, and adds to the session's own query", async () => {
    let sessions = 0;
    const registry = await faultyRegistry((asked, response) => {
      if (asked.method === "HEAD") return response.writeHead(404).end();
      if (asked.method === "POST")
        return response.writeHead(202, { location: `/up/${++sessions}?_state=a%2Fb+c` }).end();
      response.writeHead(asked.path.startsWith("/up/1") ? 503 : 201).end();
    });
    expect(await clientOf(registry).blobs.push("team/api", blobOf(BLOB))).toBe("uploaded");
    const last = registry.asked.at(-1);
    expect(last?.path).toBe(`/up/2?_state=a%2Fb+c&digest=${encodeURIComponent(DIGEST)}`);
    expect(last?.body).toBe(BLOB.toString());
  });

  it("that is refused half-way leaves no file open", async () => {
    const sources: Readable[] = [];
    const open = () => sources[sources.push(Readable.from(chunks())) - 1]!;
    const server = createHttpServer(({ method }, response) => {
      if (method === "POST") return response.writeHead(202, { location: "/up" }).end();
      response.writeHead(413, { connection: "close" }).end('{"errors":[{"code":"SIZE_INVALID"}]}');
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const client = clientOf({ host: `127.0.0.1:${port}`, port, asked: [] });
    const size = 100 * CHUNK.length;
    const failure = await failureOf(client.blobs.upload("team/api", { digest: DIGEST, size, open }));
    server.close();
    server.closeAllConnections();
    expect(failure).toMatchObject({ status: 413, codes: ["SIZE_INVALID"] });
    expect(sources.map(({ destroyed }) => destroyed)).toEqual([true]);
  });

  it("follows where the registry will not mount", async () => {
    const registry = await faultyRegistry((asked, response) => {
      if (asked.path.includes("mount=")) return response.writeHead(403).end();
      response.writeHead(asked.method === "POST" ? 202 : 201, { location: "/up" }).end();
    });
    expect(await clientOf(registry).blobs.upload("team/api", blobOf(BLOB), "other/base")).toBe("uploaded");
  });
});

describe("a manifest", () => {
  it("must be what its digest says", async () => {
    const registry = await faultyRegistry(status(200, { "content-type": MEDIA_TYPE.index }, MANIFEST));
    await expect(clientOf(registry).getManifest("team/api", DIGEST)).rejects.toThrow(
      `expected manifest ${DIGEST} but got sha256:`,
    );
  });

  it("must be what the registry says its tag names", async () => {
    const registry = await faultyRegistry(status(200, { "docker-content-digest": DIGEST }, MANIFEST));
    await expect(clientOf(registry).getManifest("team/api", "latest")).rejects.toThrow(`expected manifest ${DIGEST}`);
  });

  it("is described even by a registry that leaves its digest out", async () => {
    const registry = await faultyRegistry(
      status(200, { "content-type": `${MEDIA_TYPE.index}; charset=utf-8` }, MANIFEST),
    );
    expect(await clientOf(registry).headManifest("team/api", "latest")).toMatchObject({
      mediaType: MEDIA_TYPE.index,
      digest: digestOf(MANIFEST),
      size: MANIFEST.length,
    });
  });

  it("is not read without end", async () => {
    const registry = await faultyRegistry((_asked, response) => response.end(Buffer.alloc(5_000_000)));
    await expect(clientOf(registry).getManifest("team/api", "latest")).rejects.toThrow("more than 4194304 bytes");
  });
});

describe("a list of tags", () => {
  it("is read to its last page, and no page twice", async () => {
    const registry = await faultyRegistry((asked, response) => {
      const last = /last=(\w+)/.exec(asked.path)?.[1] ?? "0";
      const next = Math.min(Number(last) + 1, 3);
      const link = `</v2/team/api/tags/list?last=${next}>; rel="next"`;
      response.writeHead(200, { link }).end(JSON.stringify({ tags: [`t${last}`] }));
    });
    expect(await clientOf(registry).listTags("team/api")).toEqual(["t0", "t1", "t2", "t3"]);
  });

  it("of a repository that does not exist is empty", async () => {
    const registry = await faultyRegistry(status(404, {}, '{"errors":[{"code":"NAME_UNKNOWN"}]}'));
    expect(await clientOf(registry).listTags("team/api")).toEqual([]);
  });
});

describe("an error", () => {
  it("carries the spec's codes, and shows what the registry said on one safe line", async () => {
    const errors = [{ code: "DENIED", message: "no\n\u001b[2Jway" }, { code: "QUOTA" }];
    const registry = await faultyRegistry(status(403, {}, JSON.stringify({ errors })));
    const failure = await failureOf(clientOf(registry).ping());
    expect(failure).toBeInstanceOf(RegistryError);
    expect(failure).toMatchObject({ status: 403, codes: ["DENIED", "QUOTA"], temporary: false });
    expect(failure.message).toBe(
      `the registry answered 403 (DENIED no\\n\\u{1b}[2Jway; QUOTA), GET http://${registry.host}/v2/: ` +
        `ask for the right to do this, or log in as someone else with \`docker login ${registry.host}\``,
    );
  });

  it("with an endless page is read as far as is needed", async () => {
    const registry = await faultyRegistry((_asked, response) => response.writeHead(404).end("<html>".repeat(100_000)));
    expect(await failureOf(clientOf(registry).ping())).toMatchObject({ status: 404, codes: [] });
  });

  it("of the place a redirect led to names that place, and no login that would not help there", async () => {
    const storage = await faultyRegistry(status(403));
    const registry = await faultyRegistry(
      status(307, { location: `http://${storage.host}/signed?signature=secret%zz` }),
    );
    const failure = await failureOf(readBlob(clientOf(registry)));
    expect(failure.message).toBe(`the registry answered 403, GET http://${storage.host}/signed?signature=REDACTED`);
  });

  it("of a token server that sends no token does not show what it sent", async () => {
    const challenge = (host: string) => ({ "www-authenticate": `Bearer realm="http://${host}/token"` });
    const registry = await faultyRegistry((asked, response) => {
      if (asked.path.startsWith("/token")) return response.end('{"token":"secret\\nX-Evil: 1"}');
      response.writeHead(401, challenge(registry.host)).end();
    });
    const { message } = await failureOf(clientOf(registry).ping());
    expect(message).toBe(`token: not a token, http://${registry.host}/token`);
  });

  it("shows no secret of a URL", () => {
    const url = new URL("https://me:pw@cdn.example/blob?X-Signature=secret&digest=sha256:a");
    expect(redactUrl(url)).toBe("https://cdn.example/blob?X-Signature=REDACTED&digest=sha256:a");
  });
});
