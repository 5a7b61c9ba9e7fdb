// A request with its answer, and what handlers do with them.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { User } from "../access/users.ts";

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  method: string;
  url: URL;
  user: User | undefined;
  /** Where the bytes came from, for the log: "hit", "miss", "stale", … */
  from?: string;
}

type Headers = Record<string, string | number>;

/** Answers with a whole body; for HEAD with its length alone. */
export function answer(
  { response, method }: Pick<Exchange, "response" | "method">,
  status: number,
  headers: Headers,
  body: string | Buffer = "",
): void {
  const length = Buffer.byteLength(body);
  response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": length });
  response.end(method === "HEAD" ? undefined : body);
}

export function answerJson(exchange: Exchange, status: number, value: unknown, headers: Headers = {}): void {
  answer(exchange, status, { "content-type": "application/json", ...headers }, JSON.stringify(value));
}

/** A request's body. Who stops reading before its end can still answer. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false });
}

/** A query parameter that is there and not empty. */
export function parameter({ url }: Pick<Exchange, "url">, name: string): string | undefined {
  return url.searchParams.get(name) || undefined;
}

/** RFC 9111 section 5.5 has retired this header; docker, containerd and people still read it. */
export const STALE = { warning: '110 waybill "the upstream can not be asked; this is what it last said"' };
