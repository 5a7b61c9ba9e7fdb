// HTTPS as the tests need it: servers on 127.0.0.1, and requests that trust the test's own authority (global fetch takes no CA).

import { once } from "node:events";
import https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Identity } from "@waybill/testing";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface RequestOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: string;
}

/** One request on a connection of its own, redirects not followed. `ca` is PEM. */
export async function request(ca: string, url: string | URL, options: RequestOptions = {}): Promise<Answer> {
  const incoming = await responseTo(ca, url, options);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) };
}

/** The same, answered as soon as the headers are there; the body is still to come. */
export async function responseTo(
  ca: string,
  url: string | URL,
  options: RequestOptions = {},
): Promise<IncomingMessage> {
  const { method = "GET", headers = {}, body } = options;
  const outgoing = https.request(url, { ca, method, headers, agent: false });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, "response")) as [IncomingMessage];
  return incoming;
}

/** Port 0 takes a free one; the answer is the server listening. */
export async function listen(identity: Identity, port: number, listener: RequestListener): Promise<https.Server> {
  const server = https.createServer(identity, listener).listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

export function originOf(server: https.Server): string {
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function close(server: https.Server): void {
  server.closeAllConnections();
  server.close();
}
