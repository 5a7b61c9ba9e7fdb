// A small Hugging Face hub on loopback, with one model, whose faults a test switches on and off.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
export const MODEL = "acme/tiny";

export interface Hub {
  url: string;
  weights: Buffer;
  /** Bytes of the weights that were sent so far. */
  sent: number;
  /** Stop after so many bytes of a body and keep the connection open; undefined serves all. */
  hangAfter: number | undefined;
  /** Bytes served in place of the weights. */
  lie: Buffer | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param size of the weights, in bytes */
export async function startHub(size: number): Promise<Hub> {
  const weights = pattern(size);
  const server = createServer((request, response) => answer(hub, request, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  };
  const hub: Hub = {
    url: `http://127.0.0.1:${port}`,
    weights,
    sent: 0,
    hangAfter: undefined,
    lie: undefined,
    [Symbol.asyncDispose]: stop,
  };
  return hub;
}

/** Bytes that differ from each other at every chunk, cheaply. */
function pattern(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 2654435761) >>> 0, at);
  return bytes;
}

function answer(hub: Hub, request: IncomingMessage, response: ServerResponse): void {
  const { pathname } = new URL(request.url ?? "/", hub.url);
  if (pathname === `/api/models/${MODEL}/revision/main`) return json(response, { sha: COMMIT });
  if (pathname === `/api/models/${MODEL}/tree/${COMMIT}`) return json(response, [entry(hub.weights)]);
  if (pathname === `/${MODEL}/resolve/${COMMIT}/model.safetensors`) return sendRange(hub, request, response);
  response.writeHead(404).end();
}

function json(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function entry(weights: Buffer): object {
  const oid = createHash("sha256").update(weights).digest("hex");
  const lfs = { oid, size: weights.length, pointerSize: 134 };
  return { type: "file", path: "model.safetensors", size: weights.length, oid: "0".repeat(40), lfs };
}

function sendRange(hub: Hub, request: IncomingMessage, response: ServerResponse): void {
  const body = hub.lie ?? hub.weights;
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const first = Number(range?.[1] ?? 0);
  const last = Math.min(Number(range?.[2] ?? body.length - 1), body.length - 1);
  const part = body.subarray(first, last + 1);
  const headers = { "content-length": part.length, etag: '"weights"' };
  if (range === null) response.writeHead(200, headers);
  else response.writeHead(206, { ...headers, "content-range": `bytes ${first}-${last}/${body.length}` });
  const served = part.subarray(0, hub.hangAfter ?? part.length);
  hub.sent += served.length;
  if (hub.hangAfter === undefined) response.end(served);
  else response.write(served);
}
