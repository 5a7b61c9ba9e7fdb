// An upstream that holds images in memory, counts what it is asked, and misbehaves as a test says. What is right is proved against a
// real registry (clients.test.ts); this one is for what goes wrong.

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { indexOf } from "./image.ts";
import type { Blob, TestImage } from "./image.ts";

interface Asked {
  method: string;
  /** Path and query. */
  path: string;
  authorization: string | undefined;
}

/** @returns true if it has answered (or means never to) */
export type Fault = (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>;

export interface FakeUpstream {
  url: string;
  host: string;
  asked: Asked[];
  /** What it does instead of answering well. */
  fault: Fault | undefined;
  /** How often it was asked so. */
  count(method: string, part: string): number;
  hold(repository: string, image: TestImage, tag?: string): void;
  /** An index over images, of which all are held. */
  holdIndex(repository: string, images: TestImage[], tag: string): Blob;
  drop(repository: string, tag: string): void;
  /** Refuses connections from now on, or takes them again. */
  close(): Promise<void>;
  reopen(): Promise<void>;
}

interface Held extends Blob {
  mediaType: string;
}

export async function startUpstream(): Promise<FakeUpstream> {
  const manifests = new Map<string, Held>();
  const blobs = new Map<string, Blob>();
  const asked: Asked[] = [];
  const make = (): ReturnType<typeof createServer> =>
    createServer((request, response) => void answer(request, response));
  let server = make();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const question = {
      method: request.method ?? "",
      path: request.url ?? "",
      authorization: request.headers.authorization,
    };
    asked.push(question);
    if (await upstream.fault?.(question, response)) return;
    respond(question, response, request.headers.range);
  }

  function respond({ method, path }: Asked, response: ServerResponse, range: string | undefined): void {
    const [, repository = "", kind, reference = ""] =
      /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/?]+)/.exec(path) ?? [];
    if (kind === "tags") return tags(repository, response);
    const held =
      kind === "manifests" ? manifests.get(`${repository} ${reference}`) : blobs.get(`${repository} ${reference}`);
    if (held === undefined)
      return void response.writeHead(404, { "content-type": "application/json" }).end('{"errors":[]}');
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    const type = "mediaType" in held ? (held as Held).mediaType : "application/octet-stream";
    const body = held.bytes.subarray(start);
    const headers = { "content-type": type, "content-length": body.length, "docker-content-digest": held.digest };
    response.writeHead(start > 0 ? 206 : 200, headers).end(method === "HEAD" ? undefined : body);
  }

  function tags(repository: string, response: ServerResponse): void {
    const found = [...manifests.keys()].filter((key) => key.startsWith(`${repository} `) && !key.includes(":"));
    const body = JSON.stringify({ name: repository, tags: found.map((key) => key.split(" ")[1]) });
    response.writeHead(found.length > 0 ? 200 : 404, { "content-type": "application/json" }).end(body);
  }

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  const upstream: FakeUpstream = {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    asked,
    fault: undefined,
    count: (method, part) => asked.filter((each) => each.method === method && each.path.includes(part)).length,
    hold(repository, image, tag) {
      for (const blob of [image.config, ...image.layers]) blobs.set(`${repository} ${blob.digest}`, blob);
      manifests.set(`${repository} ${image.manifest.digest}`, image.manifest);
      if (tag !== undefined) manifests.set(`${repository} ${tag}`, image.manifest);
    },
    holdIndex(repository, images, tag) {
      const index = indexOf(images);
      for (const image of images) upstream.hold(repository, image);
      for (const reference of [index.digest, tag]) manifests.set(`${repository} ${reference}`, index);
      return index;
    },
    drop: (repository, tag) => void manifests.delete(`${repository} ${tag}`),
    close,
    async reopen() {
      server = make();
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
  };
  onTestFinished(() => close().catch(() => {}));
  return upstream;
}
