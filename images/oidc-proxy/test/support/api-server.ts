// Stands where the Kubernetes API server would: records what reaches it, and answers SubjectAccessReviews from a list.

import type https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type { Identity } from "./authority.ts";
import { close, listen, originOf } from "./https.ts";
import { permissionIn } from "./review.ts";

const REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";

export interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
}

export class ApiServer {
  /** Requests but for reviews, oldest first. */
  readonly received: Received[] = [];
  /** `user verb resource/name` of what a review allows, such as `alice impersonate users/bob`. */
  readonly allowed = new Set<string>();
  readonly #server: https.Server;
  #gate: Promise<void> = Promise.resolve();

  private constructor(server: https.Server) {
    this.#server = server;
  }

  static async start(identity: Identity): Promise<ApiServer> {
    const server = await listen(identity, 0, (request, response) => {
      api.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    const api = new ApiServer(server);
    return api;
  }

  get url(): string {
    return originOf(this.#server);
  }

  /** Holds every answer back until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  close(): void {
    close(this.#server);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    response.setHeader("content-type", "application/json");
    if (url.startsWith(REVIEWS)) {
      const status = { allowed: this.allowed.has(permissionIn(await buffer(request))) };
      const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", status };
      response.writeHead(201).end(JSON.stringify(review));
      return;
    }
    this.received.push({ method, url, headers });
    await this.#gate;
    response.end(JSON.stringify({ kind: "NamespaceList", apiVersion: "v1", items: [] }));
  }
}
