// Stands where the Kubernetes API server would, HTTP/2 and HTTP/1.1 as it does: records what reaches it, answers reviews
// from lists, streams watches and echoes what comes over an upgraded connection.

import { once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import http2 from "node:http2";
import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { Identity } from "@waybill/testing";
import { permissionIn } from "./review.ts";

const ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
const TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews";

export const EVENT = `{"type":"ADDED","object":{"kind":"Namespace"}}\n`;

export interface Received {
  method: string;
  url: string;
  httpVersion: string;
  headers: IncomingHttpHeaders;
}

export class ApiServer {
  /** Requests but for reviews, oldest first. */
  readonly received: Received[] = [];
  /** `user verb resource/name` of what a review allows, such as `alice impersonate users/bob`. */
  readonly allowed = new Set<string>();
  /** Tokens that a review takes, and whom they name. */
  readonly tokens = new Map<string, string>();
  readonly #server: Http2SecureServer;
  readonly #sockets = new Set<Socket>();
  #gate: Promise<void> = Promise.resolve();

  private constructor(identity: Identity) {
    this.#server = http2.createSecureServer({ ...identity, allowHTTP1: true }, (request, response) => {
      this.#answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
    });
    this.#server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Socket) => {
      this.#record(request);
      socket.on("error", () => socket.destroy());
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n`,
      );
      socket.pipe(socket);
    });
  }

  static async start(identity: Identity): Promise<ApiServer> {
    const api = new ApiServer(identity);
    await once(api.#server.listen(0, "127.0.0.1"), "listening");
    return api;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Holds every answer back until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #answer(request: Http2ServerRequest, response: Http2ServerResponse): Promise<void> {
    response.setHeader("content-type", "application/json");
    if (request.url.startsWith(ACCESS_REVIEWS)) {
      const status = { allowed: this.allowed.has(permissionIn(await buffer(request))) };
      return answerReview(response, "authorization.k8s.io/v1", "SubjectAccessReview", status);
    }
    if (request.url.startsWith(TOKEN_REVIEWS)) {
      const { spec } = JSON.parse((await buffer(request)).toString()) as { spec: { token: string } };
      const username = this.tokens.get(spec.token);
      const status = username === undefined ? {} : { authenticated: true, user: { username } };
      return answerReview(response, "authentication.k8s.io/v1", "TokenReview", status);
    }
    this.#record(request);
    await this.#gate;
    // A watch has no end of its own.
    if (request.url.includes("watch=true")) response.write(EVENT);
    else response.end(JSON.stringify({ kind: "NamespaceList", apiVersion: "v1", items: [] }));
  }

  #record({ method = "", url = "", httpVersion, headers }: IncomingMessage | Http2ServerRequest): void {
    this.received.push({ method, url, httpVersion, headers });
  }
}

function answerReview(response: Http2ServerResponse, apiVersion: string, kind: string, status: object): void {
  response.writeHead(201).end(JSON.stringify({ apiVersion, kind, status }));
}
