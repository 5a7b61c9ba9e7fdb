// A server that speaks OSV's HTTP interface over advisories of a test's own: pages, 404s, and faults on request.

import { once } from "node:events";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface OsvServer {
  url: string;
  /** "POST /v1/querybatch", in order. */
  requests: string[];
  /** How many ids a page of an answer has. */
  pageSize: number;
  /** Status codes to answer with first, before it behaves. */
  faults: number[];
  stop: () => void;
}

interface Stored {
  id: string;
  modified: string;
  affected?: { package?: { ecosystem: string; name: string } }[];
}

/** Serves these advisories; the list may change meanwhile. The caller stops it. */
export async function startOsv(advisories: readonly object[]): Promise<OsvServer> {
  const osv: OsvServer = { url: "", requests: [], pageSize: 1000, faults: [], stop };
  const stored = advisories as readonly Stored[];
  const server = createServer((request, response) => {
    osv.requests.push(`${request.method} ${request.url}`);
    const fault = osv.faults.shift();
    if (fault !== undefined) return void response.writeHead(fault, { "retry-after": "0" }).end();
    const id = /^\/v1\/vulns\/(.+)$/.exec(request.url ?? "")?.[1];
    if (id !== undefined)
      return answer(
        response,
        stored.find((each) => each.id === decodeURIComponent(id)),
      );
    if (request.url !== "/v1/querybatch") return answer(response, undefined);
    void text(request).then((body) => answer(response, batch(stored, JSON.parse(body) as Batch, osv.pageSize)));
  });
  function stop(): void {
    server.closeAllConnections();
    server.close();
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  osv.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return osv;
}

interface Batch {
  queries: { package: { ecosystem: string; name: string }; version: string; page_token?: string }[];
}

/** By name alone: a service that says too much must not make findings. */
function batch(stored: readonly Stored[], { queries }: Batch, pageSize: number): object {
  const results = queries.map(({ package: { ecosystem, name }, page_token: token = "0" }) => {
    const all = stored.filter(({ affected }) =>
      affected?.some((entry) => entry.package?.ecosystem === ecosystem && entry.package.name === name),
    );
    const start = Number(token);
    const vulns = all.slice(start, start + pageSize).map(({ id, modified }) => ({ id, modified }));
    const next = start + pageSize;
    return { ...(vulns.length > 0 ? { vulns } : {}), ...(next < all.length ? { next_page_token: `${next}` } : {}) };
  });
  return { results };
}

function answer(response: ServerResponse, body: object | undefined): void {
  response.writeHead(body === undefined ? 404 : 200, { "content-type": "application/json" });
  response.end(JSON.stringify(body ?? { code: 5, message: "Bug not found." }));
}
