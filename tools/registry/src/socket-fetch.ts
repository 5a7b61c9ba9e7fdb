// fetch over a Unix socket, which Node's own fetch can't: as much of it as a client of registries needs.

import { once } from "node:events";
import { type IncomingMessage, request as httpRequest } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** Answers without a body, which `Response` wants to be told. */
const BODILESS = new Set([204, 205, 304]);

export function socketFetch(socketPath: string): typeof fetch {
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const { method = "GET", body, signal } = init;
    const headers = Object.fromEntries(new Headers(init.headers));
    const path = url.pathname + url.search;
    const outgoing = httpRequest({ socketPath, path, method, headers, ...(signal && { signal }) });
    const [response] = await Promise.all([answerOf(outgoing), send(outgoing, body)]);
    return responseOf(response, method, url);
  };
}

async function answerOf(outgoing: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  return response;
}

async function send(outgoing: ReturnType<typeof httpRequest>, body: RequestInit["body"]): Promise<void> {
  if (body === undefined || body === null) return void outgoing.end();
  if (typeof body === "string" || body instanceof Uint8Array) return void outgoing.end(body);
  // A server that has answered before it read everything closes the connection: its answer is what counts.
  await pipeline(Readable.from(body as unknown as AsyncIterable<Uint8Array>), outgoing).catch((error: unknown) => {
    if (!["EPIPE", "ECONNRESET"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  });
}

function responseOf(incoming: IncomingMessage, method: string, url: URL): Response {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  const status = incoming.statusCode ?? 500;
  const empty = method === "HEAD" || BODILESS.has(status);
  if (empty) incoming.resume();
  const response = new Response(empty ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>), {
    status,
    headers,
  });
  return Object.defineProperty(response, "url", { value: url.href });
}
