// What each request gets: the route, who may, the handler, and errors in the spec's form.

import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "@waybill/oci/error";
import { deleteBlob, getBlob, headBlob } from "./api/blobs.ts";
import { isDiskFull } from "./api/disk-full.ts";
import { answer, parameter } from "./api/exchange.ts";
import type { Exchange } from "./api/exchange.ts";
import { listReferrers, listRepositories, listTags } from "./api/lists.ts";
import { deleteManifest, getManifest, putManifest } from "./api/manifests.ts";
import { CHALLENGE, methodNotAllowed, nameUnknown, Problem, unavailable } from "./api/problem.ts";
import { Gone } from "./api/send.ts";
import { beginUpload, cancelUpload, finishUpload, patchUpload, uploadStatus } from "./api/uploads.ts";
import { ArrivalError } from "./upstream/arrival.ts";
import { formatName, readName } from "./name.ts";
import type { Name } from "./name.ts";
import type { Registry } from "./registry.ts";
import { routeOf } from "./route.ts";
import type { Route } from "./route.ts";
import { healthOf, metricsOf, pageOf } from "./view/views.ts";

type Action = (registry: Registry, exchange: Exchange, name: Name, last: string) => Promise<void>;

/** By kind of route and method. */
const ACTIONS: Partial<Record<Route["kind"], Record<string, Action>>> = {
  manifest: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
  blob: { GET: getBlob, HEAD: headBlob, DELETE: deleteBlob },
  uploads: { POST: beginUpload },
  upload: { GET: uploadStatus, PATCH: patchUpload, PUT: finishUpload, DELETE: cancelUpload },
  tags: { GET: listTags, HEAD: listTags },
  referrers: { GET: listReferrers, HEAD: listReferrers },
};

const READS = new Set(["GET", "HEAD"]);

/** Answers a request, whatever comes. */
export async function serve(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const started = performance.now();
  const parsed = URL.parse(request.url ?? "", "http://registry");
  const url = parsed ?? new URL("http://registry/");
  const exchange: Exchange = { request, response, url, method: request.method ?? "", user: undefined };
  const route = parsed === null ? undefined : routeOf(url.pathname);
  response.setHeader("docker-distribution-api-version", "registry/2.0");
  try {
    if (route === undefined) throw new Problem(404, "UNSUPPORTED", "there is no such place");
    await dispatch(registry, exchange, route);
  } catch (error) {
    fail(registry, exchange, error);
  }
  await ended(response);
  record(registry, exchange, route?.kind ?? "none", (performance.now() - started) / 1000);
}

async function dispatch(registry: Registry, exchange: Exchange, route: Route): Promise<void> {
  if (route.kind === "health") return healthOf(registry, exchange);
  const user = await registry.access.users.identify(exchange.request.headers.authorization);
  if (user === "wrong") throw new Problem(401, "UNAUTHORIZED", "the name, password or token is wrong", CHALLENGE);
  exchange.user = user;
  if (!("name" in route)) return await dispatchFixed(registry, exchange, route);
  const action = ACTIONS[route.kind]?.[exchange.method];
  if (action === undefined) throw methodNotAllowed(Object.keys(ACTIONS[route.kind] ?? {}).join(", "));
  const name = await nameOf(registry, exchange, route);
  assertAllowed(registry, exchange, name, route.kind);
  await action(registry, exchange, name, lastOf(route));
}

async function dispatchFixed(registry: Registry, exchange: Exchange, { kind }: Route): Promise<void> {
  if (!READS.has(exchange.method)) throw methodNotAllowed("GET, HEAD");
  if (kind === "metrics") return await metricsOf(registry, exchange);
  if (kind === "catalog") return await listRepositories(registry, exchange);
  if (kind === "page") return await pageOf(registry, exchange);
  // docker and podman take from this answer alone whether a registry wants to know who they are.
  if (registry.access.users.any && exchange.user === undefined)
    throw new Problem(401, "UNAUTHORIZED", "log in to push; reading needs it where the rules say so", CHALLENGE);
  answer(exchange, 200, { "content-type": "application/json" }, "{}");
}

/** @throws {Problem} NAME_INVALID, or NAME_UNKNOWN for an upstream that isn't one of ours */
async function nameOf(
  registry: Registry,
  { method, request, response, url }: Exchange,
  route: Extract<Route, { name: string }>,
): Promise<Name> {
  const ns = READS.has(method) && route.kind !== "upload" ? parameter({ url }, "ns") : undefined;
  // A client that mirrors us through ourselves names us.
  const name = readName(route.name, ns === request.headers.host ? undefined : ns);
  if (name === undefined) throw new Problem(400, "NAME_INVALID", "that is no name of a repository");
  if (ns !== undefined) response.setHeader("oci-namespace", ns);
  if (name.upstream !== undefined && !registry.upstreams.knows(name.upstream)) throw nameUnknown(formatName(name));
  return name.upstream === undefined && READS.has(method) ? await fallenBack(registry, name) : name;
}

/** What nobody pushed here may be the fallback's. Docker's registry-mirrors leave out the host, which is always Docker Hub. */
async function fallenBack({ config, store }: Registry, name: Name): Promise<Name> {
  if (config.fallback === undefined || (await store.repository(name).exists())) return name;
  return readName(name.repository, config.fallback) ?? name;
}

function assertAllowed({ access }: Registry, { method, user, request }: Exchange, name: Name, kind: string): void {
  if (READS.has(method) && kind !== "upload") {
    if (access.mayRead(user, name)) return;
    throw user ? new Problem(403, "DENIED", "this repository is not yours to read") : unauthorized();
  }
  // A page of another site, open in a browser on this machine, must not push through it. No client of registries sends this header.
  if (request.headers.origin !== undefined) throw new Problem(403, "DENIED", "not from a browser");
  if (name.upstream !== undefined && method !== "DELETE")
    throw new Problem(405, "UNSUPPORTED", `${formatName(name)} comes from its upstream: push it there`, {
      allow: "GET, HEAD, DELETE",
    });
  if (access.mayWrite(user, name)) return;
  throw user ? new Problem(403, "DENIED", "this repository is not yours to write") : unauthorized();
}

function unauthorized(): Problem {
  return new Problem(401, "UNAUTHORIZED", "log in first", CHALLENGE);
}

function lastOf(route: Extract<Route, { name: string }>): string {
  if (route.kind === "manifest") return route.reference;
  if (route.kind === "blob" || route.kind === "referrers") return route.digest;
  return route.kind === "upload" ? route.id : "";
}

/** Answers with what went wrong. */
export function fail(registry: Registry, exchange: Exchange, error: unknown): void {
  const { request, response } = exchange;
  if (error instanceof Gone || request.errored || (request.destroyed && !request.complete)) {
    response.destroy();
    return;
  }
  const problem = problemOf(error);
  if (problem.status >= 500)
    registry.log("error", "failed", { path: exchange.url.pathname, status: problem.status, reason: messageOf(error) });
  if (problem.status === 500)
    registry.log("error", "bug", { stack: error instanceof Error ? error.stack : String(error) });
  // What was begun can't be taken back: the connection is broken off, so that nobody takes a part for the whole.
  if (response.headersSent) return void response.destroy();
  answer(exchange, problem.status, { "content-type": "application/json", ...problem.headers }, problem.body());
  passOver(request);
}

/** How long a client may go on sending what nobody wants any more. */
const UNWANTED_MS = 5_000;

/** Reads the rest of a body away: a client that is still sending would find its connection broken, and never see the answer. */
function passOver(request: IncomingMessage): void {
  if (request.complete) return;
  const timer = setTimeout(() => request.destroy(), UNWANTED_MS).unref();
  request.once("close", () => clearTimeout(timer));
  request.resume();
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDiskFull(error)) return new Problem(507, "DENIED", "the registry's disk is full");
  // What a download says when it breaks before its first byte.
  if (error instanceof ArrivalError) return unavailable(502, messageOf(error));
  return new Problem(500, "UNKNOWN", "the registry failed; its log says more");
}

async function ended(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return;
  await new Promise<void>((resolve) => {
    response.once("close", resolve);
    response.once("finish", resolve);
  });
}

function record({ metrics, log }: Registry, exchange: Exchange, kind: string, seconds: number): void {
  const { request, response, method, url, user, from } = exchange;
  const status = response.writableFinished ? response.statusCode : 499;
  metrics.add("waybill_registry_requests_total", {
    kind,
    method: METHODS.has(method) ? method : "other",
    status: String(status),
  });
  metrics.observe("waybill_registry_request_seconds", seconds, { kind });
  if (kind === "health" || kind === "metrics") return;
  const agent = request.headers["user-agent"]?.slice(0, 100);
  log("info", "request", {
    method: method.slice(0, 10),
    path: url.pathname.slice(0, 500),
    status,
    ms: Math.round(seconds * 1e6) / 1e3,
    from,
    user: user?.name,
    client: request.socket.remoteAddress,
    agent,
  });
}

/** What a stranger sends must not become a label of its own. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
