// Nx's protocol for self-hosted caches (nx.dev, "Build your own caching server"; nx 23.2.1 native/cache/http_remote_cache.rs), on
// loopback for as long as tasks run. What Nx does with an answer decides what it is: GET of anything but 200 and 404 ends the run, PUT
// of anything but 200, 403 and 409 fails the task. So every fault behind this server is a 404 or a 403.

import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "@waybill/oci/http";
import { MAX_TARBALL_BYTES } from "./tarball.ts";

export interface Cache {
  get(hash: string): Promise<Buffer | undefined>;
  put(hash: string, tarball: Buffer): void;
  readonly writable: boolean;
}

export interface RunningServer {
  /** "http://127.0.0.1:40123" */
  url: string;
  /** What Nx has to show as bearer token. */
  token: string;
  stop(): Promise<void>;
}

/** Nx's hashes are decimal or hexadecimal numbers; here they become part of a tag. */
const PATH = /^\/v1\/cache\/(?<hash>[A-Za-z0-9]{1,64})$/;

export async function startServer(cache: Cache): Promise<RunningServer> {
  const token = randomBytes(32).toString("hex");
  const server = createServer((request, response) => {
    answer(cache, token, request, response).catch(() => {
      // Whatever this was, it must not reach Nx as a fault.
      if (!response.headersSent) response.writeHead(request.method === "PUT" ? 403 : 404);
      response.end();
    });
  });
  // An idle connection that we close while Nx sends on it would fail the task.
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  // Nx ends by itself where the hook after the run isn't called.
  server.unref();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token, stop: () => stop(server) };
}

async function stop(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

async function answer(cache: Cache, token: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isBearer(request, token)) return void response.writeHead(401, { "content-type": "text/plain" }).end("no\n");
  const hash = PATH.exec(request.url ?? "")?.groups?.["hash"];
  if (hash === undefined) return void response.writeHead(404).end();
  if (request.method === "GET") return await get(cache, hash, response);
  if (request.method === "PUT") return await put(cache, hash, request, response);
  response.writeHead(405).end();
}

async function get(cache: Cache, hash: string, response: ServerResponse): Promise<void> {
  const tarball = await cache.get(hash);
  if (tarball === undefined) return void response.writeHead(404).end();
  response
    .writeHead(200, { "content-type": "application/octet-stream", "content-length": tarball.length })
    .end(tarball);
}

/** Answers before anything is stored: tasks don't wait for uploads, the end of the run does. */
async function put(cache: Cache, hash: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    // Read to its end all the same: Nx would take a closed connection for a fault.
    if (size <= MAX_TARBALL_BYTES) chunks.push(chunk);
  }
  if (!request.complete || !cache.writable || size > MAX_TARBALL_BYTES) return void response.writeHead(403).end();
  cache.put(hash, Buffer.concat(chunks));
  response.writeHead(200).end();
}

function isBearer({ headers }: IncomingMessage, token: string): boolean {
  const shown = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return shown.length === wanted.length && timingSafeEqual(shown, wanted);
}
