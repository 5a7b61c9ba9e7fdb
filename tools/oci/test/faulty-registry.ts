// A registry that misbehaves on demand. Only for faults: what is right is proved against a real one (registry.test.ts).

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { RegistryClient } from "@waybill/oci/registry";
import type { RegistryOptions } from "@waybill/oci/registry";

interface Asked {
  method: string;
  /** Path and query. */
  path: string;
  authorization: string | undefined;
  range: string | undefined;
  body: string;
}

export interface FaultyRegistry {
  /** 127.0.0.1:port */
  host: string;
  port: number;
  /** What was asked so far. */
  asked: Asked[];
}

type Answer = (asked: Asked, response: ServerResponse) => void;

/** Starts a server that answers as the test says, and stops with the test. */
export async function faultyRegistry(answer: Answer): Promise<FaultyRegistry> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void readAsked(request).then((question) => {
      asked.push(question);
      answer(question, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, port, asked };
}

/** A client that loses no time between tries, and knows the user "me". */
export function clientOf({ host }: FaultyRegistry, options: RegistryOptions = {}): RegistryClient {
  return new RegistryClient(host, {
    credentials: async () => ({ kind: "basic", username: "me", password: "secret" }),
    retry: { attempts: 3, pauseMs: 1, maxPauseMs: 1000 },
    ...options,
  });
}

/** Answers in the order given; the last answer stays. */
export function inTurn(...answers: Answer[]): Answer {
  return (asked, response) => ((answers.length > 1 ? answers.shift() : answers[0]) as Answer)(asked, response);
}

export function status(code: number, headers: Record<string, string> = {}, body = ""): Answer {
  return (_asked, response) => response.writeHead(code, headers).end(body);
}

/** Breaks the connection without an answer. */
export const hangUp: Answer = (_asked, response) => void response.socket?.destroy();

async function readAsked(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const { method = "", url = "", headers } = request;
  const body = Buffer.concat(chunks).toString();
  return { method, path: url, authorization: headers.authorization, range: headers.range, body };
}
