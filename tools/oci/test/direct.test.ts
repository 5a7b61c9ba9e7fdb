// Long bodies are read straight from the socket, into memory that is used again: whatever happens on the way, each byte must arrive once.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { createServer as createHttpsServer, request as httpsRequest } from "node:https";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { connect as connectTls } from "node:tls";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../src/run.ts";
import { takeOver, tapped } from "../src/registry/direct.ts";
import type { Chunk } from "../src/registry/slab.ts";
import { clientOf, faultyRegistry } from "./faulty-registry.ts";
import { digestOf } from "../src/digest.ts";

const MB = 1024 * 1024;

describe.each(["http", "https"] as const)("a long body over %s", (protocol) => {
  let cert: string;
  let key: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "waybill-direct-"));
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
    await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", ...files, ...subject], {
      check: true,
    });
    [cert, key] = [await readFile(join(folder, "cert.pem"), "utf8"), await readFile(join(folder, "key.pem"), "utf8")];
    return async () => await rm(folder, { recursive: true });
  });

  it("comes whole, in memory to give back", async () => {
    const bytes = randomBytes(24 * MB);
    const chunks = await takenOver(await served((_request, response) => sendWhole(response, bytes)));
    const hash = createHash("sha256");
    const memories = new Set<ArrayBufferLike>();
    for await (const { bytes: part, release } of chunks) {
      hash.update(part);
      if (release !== undefined) memories.add(part.buffer);
      release?.();
    }
    expect(hash.digest("hex")).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(memories.size).toBeGreaterThan(0);
    // As a new piece of memory for each part would be some ninety.
    expect(memories.size).toBeLessThan(24);
  });

  it("is left as it was in what is not given back", async () => {
    const [kept, other] = [randomBytes(3 * MB), randomBytes(20 * MB)];
    const first = await Array.fromAsync(await takenOver(await served((_, response) => sendWhole(response, kept))));
    for await (const { release } of await takenOver(await served((_, response) => sendWhole(response, other))))
      release?.();
    expect(Buffer.concat(first.map((chunk) => chunk.bytes)).equals(kept)).toBe(true);
  });

  it("waits for a reader who comes late or pauses, and loses nothing", async () => {
    const bytes = randomBytes(40 * MB);
    const message = await served((_request, response) => sendWhole(response, bytes));
    // Nobody reads the body, so both the parser's buffer and the socket's fill up.
    await vi.waitFor(() => expect(message.socket.isPaused()).toBe(true));
    const chunks = await takenOver(message);
    const hash = createHash("sha256");
    let seen = 0;
    for await (const chunk of chunks) {
      hash.update(chunk.bytes);
      chunk.release?.();
      if (seen < 10 * MB && seen + chunk.bytes.length >= 10 * MB) await new Promise((resolve) => setImmediate(resolve));
      seen += chunk.bytes.length;
    }
    expect([seen, hash.digest("hex")]).toEqual([40 * MB, createHash("sha256").update(bytes).digest("hex")]);
  });

  it("fails where the connection breaks, after what came", async () => {
    const bytes = randomBytes(4 * MB);
    const message = await served((_request, response) => {
      response.writeHead(200, { "content-length": bytes.length });
      response.write(bytes.subarray(0, 3 * MB), () => response.destroy());
    });
    let seen = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of await takenOver(message)) seen += chunk.bytes.length;
    };
    await expect(read()).rejects.toThrow(/closed in the middle|aborted|ECONNRESET/);
    expect(seen).toBeGreaterThan(0);
    expect(seen).toBeLessThanOrEqual(3 * MB);
  });

  it("ends the connection of who has enough", async () => {
    const closed = Promise.withResolvers<void>();
    const message = await served((_request, response) => {
      response.once("close", closed.resolve);
      sendWhole(response, randomBytes(40 * MB));
    });
    for await (const chunk of await takenOver(message)) {
      chunk.release?.();
      break;
    }
    await closed.promise;
  });

  async function served(listener: RequestListener): Promise<IncomingMessage> {
    const server = protocol === "http" ? createHttpServer(listener) : createHttpsServer({ cert, key }, listener);
    const port = await listening(server);
    onTestFinished(() => server.closeAllConnections());
    const host = { host: "localhost", port, path: "/" };
    const asked =
      protocol === "http"
        ? httpRequest({ ...host, createConnection: () => connect({ host: "127.0.0.1", port, ...tapped() }) })
        : httpsRequest({
            ...host,
            createConnection: () =>
              connectTls({ host: "127.0.0.1", port, servername: "localhost", ca: cert, ...tapped() }),
          });
    asked.on("error", () => {}).end();
    const [message] = (await once(asked, "response")) as [IncomingMessage];
    return message.on("error", () => {});
  }
});

describe("what is not taken over", () => {
  it.each([
    ["a short body", { "content-length": "10" }],
    ["a body of no known length", {}],
  ])("is %s: it is read as ever", async (_what, headers) => {
    const registry = await faultyRegistry((_asked, response) => response.writeHead(200, headers).end("0123456789"));
    const { body } = await clientOf(registry).blobs.open("a/b", digestOf("0123456789"));
    const chunks = await Array.fromAsync(body);
    expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).toString()).toBe("0123456789");
    expect(chunks.some(({ release }) => release !== undefined)).toBe(false);
  });
});

describe("a server that sends more than it said", () => {
  it("is cut off", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => {}).write(`HTTP/1.1 200 OK\r\ncontent-length: ${2 * MB}\r\n\r\n`);
      socket.write(Buffer.alloc(3 * MB, 1));
    });
    const port = await listening(server);
    const asked = httpRequest({ port, createConnection: () => connect({ host: "127.0.0.1", port, ...tapped() }) });
    asked.on("error", () => {}).end();
    const [message] = (await once(asked, "response")) as [IncomingMessage];
    message.on("error", () => {});
    let seen = 0;
    for await (const chunk of await takenOver(message)) seen += chunk.bytes.length;
    expect(seen).toBe(2 * MB);
  });
});

describe("a blob of a registry", () => {
  const bytes = randomBytes(5 * MB);

  it("goes on where its connection broke, or fell silent", async () => {
    const rest = (range: string): Buffer => bytes.subarray(Number(/\d+/.exec(range)?.[0]));
    const registry = await faultyRegistry(({ range }, response) => {
      const left = range === undefined ? bytes : rest(range);
      response.writeHead(range === undefined ? 200 : 206, { "content-length": left.length });
      if (left.length > 4 * MB) response.write(left.subarray(0, 1.5 * MB), () => response.destroy());
      else if (left.length > 2 * MB) response.write(left.subarray(0, 1.5 * MB));
      else response.end(left);
    });
    const { body } = await clientOf(registry).blobs.open("a/b", digestOf(bytes), 200);
    const hash = createHash("sha256");
    for await (const chunk of body) {
      hash.update(chunk.bytes);
      chunk.release?.();
    }
    expect(`sha256:${hash.digest("hex")}`).toBe(digestOf(bytes));
    expect(registry.asked.length).toBeGreaterThanOrEqual(3);
  });

  it("of a registry that knows no ranges is passed over up to where it stopped", async () => {
    const registry = await faultyRegistry((_asked, response) => {
      const isFirst = registry.asked.length === 1;
      response.writeHead(200, { "content-length": bytes.length });
      if (isFirst) response.write(bytes.subarray(0, 3 * MB), () => response.destroy());
      else response.end(bytes);
    });
    const { body } = await clientOf(registry).blobs.open("a/b", digestOf(bytes));
    const parts: Buffer[] = [];
    for await (const chunk of body) {
      parts.push(Buffer.from(chunk.bytes));
      chunk.release?.();
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });
});

function sendWhole(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { "content-length": bytes.length }).end(bytes);
}

async function takenOver(message: IncomingMessage): Promise<AsyncIterable<Chunk>> {
  const chunks = takeOver(message);
  expect(chunks).toBeDefined();
  return await Promise.resolve(chunks as AsyncIterable<Chunk>);
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}
