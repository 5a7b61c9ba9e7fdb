// The Kubernetes API as it is on the wire: one request, one answer. For what the API server says to a client; kubectl says it in
// its own words.

import { once } from "node:events";
import { Agent, request } from "node:https";
import type { Identity } from "../authority.ts";

export interface Answer<T> {
  status: number;
  body: T;
}

export interface Ask {
  /** Default GET, or POST with a body. */
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  body?: unknown;
  /** Default application/json; a PATCH says which kind it is. */
  contentType?: string;
}

export class ApiClient {
  readonly #server: string;
  readonly #agent: Agent;

  /** @param ca PEM, of the authority that signed the server's certificate */
  constructor(server: string, ca: string, { cert, key }: Identity) {
    this.#server = server;
    this.#agent = new Agent({ ca, cert, key, keepAlive: true });
  }

  /** @param path with its query: "/api/v1/namespaces/default/pods?limit=1". A body that is no JSON is given as text */
  async request<T = unknown>(path: string, { body, contentType, ...ask }: Ask = {}): Promise<Answer<T>> {
    const method = ask.method ?? (body === undefined ? "GET" : "POST");
    const headers = { "content-type": contentType ?? "application/json" };
    const sent = request(new URL(path, this.#server), { method, headers, agent: this.#agent });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, "response")) as [import("node:http").IncomingMessage];
    const text = (await response.setEncoding("utf8").toArray()).join("");
    const json = response.headers["content-type"]?.startsWith("application/json");
    return { status: response.statusCode ?? 0, body: (json === true ? JSON.parse(text) : text) as T };
  }

  close(): void {
    this.#agent.destroy();
  }
}
