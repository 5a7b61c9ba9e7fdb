// One HTTP request over node:http. Connections are kept for the next one; proxies and authorities are those of the environment.

import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Agent as HttpAgent, request as httpRequest } from "../http.ts";
import { isLoopback } from "../loopback.ts";
import { trustSystem } from "../network.ts";
import { Answer } from "./answer.ts";
import { tapped } from "./direct.ts";

/** How long a connection may take to be made, in milliseconds. */
const CONNECT_MS = 10_000;
/** How long a connection may be silent while a body is sent or an answer awaited, in milliseconds, whatever else was said. */
export const IDLE_MS = 300_000;

export interface Sending {
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
  /** A body that is read while it is sent. */
  stream?: Readable | undefined;
  /** Ends the exchange, the answer's body included. */
  signal: AbortSignal;
}

/** Asks, and keeps its promise when the answer has begun. Redirects are answers. */
export type Send = (url: URL, question: Sending) => Promise<Answer>;

const KEPT = { keepAlive: true, maxFreeSockets: 32 } as const;
const agents = {
  "http:": direct(new HttpAgent({ ...KEPT, proxyEnv: process.env })),
  "https:": direct(new HttpsAgent({ ...KEPT, proxyEnv: process.env })),
  // A proxy could not reach this machine, or would reach itself.
  loopback: { "http:": direct(new HttpAgent(KEPT)), "https:": direct(new HttpsAgent(KEPT)) },
};

/** From its connections long bodies can be taken over. */
function direct(agent: Agent): Agent {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, ready) => connect({ ...options, ...tapped() }, ready);
  return agent;
}

/** Over the network. */
export const send: Send = async (url, question) => {
  const protocol = url.protocol === "https:" ? "https:" : "http:";
  if (protocol === "https:") trustSystem();
  const agent = (isLoopback(url.hostname) ? agents.loopback : agents)[protocol];
  const { method, headers } = question;
  const start = protocol === "https:" ? httpsRequest : httpRequest;
  return await exchange(url, () => start(url, { method, headers, agent }), question);
};

/** Over a Unix socket, to a server of this machine. */
export function sendOver(socketPath: string): Send {
  return async (url, question) => {
    const { method, headers } = question;
    const options: RequestOptions = { socketPath, path: url.pathname + url.search, method, headers };
    return await exchange(url, () => httpRequest(options), question);
  };
}

async function exchange(url: URL, begin: () => ClientRequest, { body, stream, signal }: Sending): Promise<Answer> {
  if (signal.aborted) stream?.destroy();
  signal.throwIfAborted();
  const request = begin();
  const abort = (): void => void request.destroy(asError(signal.reason));
  signal.addEventListener("abort", abort, { once: true });
  request.once("close", () => signal.removeEventListener("abort", abort));
  limit(request);
  const answered = answerOf(request);
  // A server that has answered before it read everything closes the connection: its answer is what counts.
  if (stream) pipeline(stream, request).catch((error: unknown) => request.destroy(asError(error)));
  else request.end(body);
  const message = await answered;
  signal.removeEventListener("abort", abort);
  const end = (): void => void message.destroy(asError(signal.reason));
  signal.addEventListener("abort", end, { once: true });
  message.once("close", () => signal.removeEventListener("abort", end));
  // There is none, and its connection waits for the next request.
  if (request.method === "HEAD") message.resume();
  return new Answer(url, message);
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    // For good: a connection may fail more than once, and after the answer that is the body's reader's.
    request.on("error", reject);
  });
}

/** fetch's limits: a connection is made soon, or not at all, and nobody is waited for without end. */
function limit(request: ClientRequest): void {
  request.setTimeout(IDLE_MS, () => request.destroy(new Error(`silent for ${IDLE_MS} ms`)));
  request.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => request.destroy(new Error(`no connection within ${CONNECT_MS} ms`)), CONNECT_MS);
    socket.once("connect", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
