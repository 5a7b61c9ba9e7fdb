// Stands in front of a real registry and does what registries do on bad days.

import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer, request as send } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Called for each request. @returns true where it has answered, or never will */
export type Fault = (request: IncomingMessage, response: ServerResponse) => boolean;

export interface Proxy {
  /** 127.0.0.1:port, to be used in place of the registry. */
  host: string;
  /** Method and path of what was asked, in order. */
  asked: string[];
  /** Bytes of answers that passed, bodies alone. */
  bytes: number;
  /** From now on. */
  fault: Fault;
}

export const none: Fault = () => false;

/** Takes the request and says nothing. */
export const silence: Fault = () => true;

export const status =
  (code: number, headers: Record<string, string> = {}): Fault =>
  (request, response) => {
    request.resume();
    response.writeHead(code, headers).end(`{"errors":[{"code":"TESTED","message":"status ${code}"}]}`);
    return true;
  };

export const hangUp: Fault = (request) => {
  request.socket.destroy();
  return true;
};

/** Answers with these bytes, as if all were well. */
export const body =
  (bytes: Buffer, headers: Record<string, string> = {}): Fault =>
  (request, response) => {
    request.resume();
    response.writeHead(200, { "content-length": bytes.length, ...headers }).end(bytes);
    return true;
  };

/** Announces more than it sends, then breaks off. */
export const half =
  (bytes: Buffer, headers: Record<string, string> = {}): Fault =>
  (request, response) => {
    request.resume();
    response.writeHead(200, { "content-length": bytes.length * 2, ...headers });
    response.write(bytes, () => response.socket?.destroy());
    return true;
  };

/** A fault for some requests. @param pattern of "GET /v2/…" */
export const on =
  (pattern: RegExp, fault: Fault): Fault =>
  (request, response) =>
    pattern.test(`${request.method} ${request.url}`) && fault(request, response);

/** In front of the registry at `target` ("127.0.0.1:port"), until the test ends. */
export async function proxyOf(target: string, fault: Fault = none): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const proxy: Proxy = { host: "", asked: [], bytes: 0, fault };
  const server = createServer((request, response) => {
    proxy.asked.push(`${request.method} ${request.url}`);
    if (!proxy.fault(request, response)) forward(proxy, target, request, response);
  });
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  proxy.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return proxy;
}

/** With the Host header as it came: what the registry says of itself then leads back here. */
function forward(proxy: Proxy, target: string, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const onward = send(`http://${target}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on("data", (chunk: Buffer) => (proxy.bytes += chunk.length));
    answer.pipe(response);
  });
  onward.on("error", () => response.destroy());
  request.pipe(onward);
}
