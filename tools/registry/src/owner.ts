// The registry's API for the owner of its folder, over the control socket: for bundles, which bring images under the names of upstreams
// that can't be asked. What is pushed under such a name is what the mirror then says the upstream had. Nothing here asks an upstream.

import type { IncomingMessage, ServerResponse } from "node:http";
import { isDigest } from "@waybill/oci/digest";
import { isTag } from "@waybill/oci/reference";
import { MEDIA_TYPE } from "@waybill/oci/mediatype";
import { answer } from "./api/exchange.ts";
import type { Exchange } from "./api/exchange.ts";
import { putManifest } from "./api/manifests.ts";
import { blobUnknown, digestInvalid, manifestUnknown, methodNotAllowed, nameUnknown, Problem } from "./api/problem.ts";
import { sendBlob } from "./api/blobs.ts";
import { beginUpload, cancelUpload, finishUpload } from "./api/uploads.ts";
import { heldImage } from "./image.ts";
import { formatName, readName } from "./name.ts";
import type { Name } from "./name.ts";
import type { Registry } from "./registry.ts";
import { routeOf } from "./route.ts";
import type { Route } from "./route.ts";
import { fail } from "./serve.ts";
import { storedSource } from "./source.ts";

/** Answers a request of the owner's, whatever comes. */
export async function serveOwner(
  registry: Registry,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://control");
  const exchange: Exchange = { request, response, url, method: request.method ?? "", user: undefined };
  try {
    const route = routeOf(url.pathname);
    if (route === undefined || !("name" in route)) throw new Problem(404, "UNSUPPORTED", "there is no such place");
    await dispatch(registry, exchange, route);
  } catch (error) {
    fail(registry, exchange, error);
  }
}

type Named = Extract<Route, { name: string }>;

async function dispatch(registry: Registry, exchange: Exchange, route: Named): Promise<void> {
  const read = readName(route.name);
  if (read === undefined) throw new Problem(400, "NAME_INVALID", "that is no name of a repository");
  const name: Name = { ...read, lasting: true };
  // What could not be asked for would only take room.
  if (name.upstream !== undefined && !registry.upstreams.knows(name.upstream)) throw nameUnknown(formatName(name));
  const { method } = exchange;
  const isRead = method === "GET" || method === "HEAD";
  if (route.kind === "manifest" && isRead) return await getHere(registry, exchange, name, route.reference);
  if (route.kind === "manifest" && method === "PUT") {
    registry.log("info", "brought", { repository: formatName(name), reference: route.reference });
    return await putManifest(registry, exchange, name, route.reference);
  }
  if (route.kind === "blob" && isRead) return await getBlobHere(registry, exchange, name, route.digest);
  if (route.kind === "referrers" && isRead) return await referrersHere(registry, exchange, name, route.digest);
  if (route.kind === "uploads" && method === "POST") return await beginUpload(registry, exchange, name);
  if (route.kind === "upload" && method === "PUT") return await finishUpload(registry, exchange, name, route.id);
  if (route.kind === "upload" && method === "DELETE") return await cancelUpload(registry, exchange, name, route.id);
  throw methodNotAllowed("GET, HEAD, PUT");
}

async function getHere({ store }: Registry, exchange: Exchange, name: Name, reference: string): Promise<void> {
  const repository = store.repository(name);
  const digest = isDigest(reference)
    ? reference
    : isTag(reference)
      ? (await repository.tag(reference))?.digest
      : undefined;
  const held = digest && (await heldImage(store, repository, digest));
  if (!held) throw manifestUnknown(`${formatName(name)} ${reference}`);
  answer(exchange, 200, { "docker-content-digest": held.digest, "content-type": held.mediaType }, held.bytes);
}

async function getBlobHere(registry: Registry, exchange: Exchange, name: Name, digest: string): Promise<void> {
  if (!isDigest(digest)) throw digestInvalid(`"${digest}" is no digest`);
  const { store } = registry;
  const source = (await store.repository(name).hasBlob(digest)) && (await storedSource(store.vault, digest));
  if (!source) throw blobUnknown(digest);
  try {
    await sendBlob(registry, exchange, digest, source);
  } finally {
    await source.close();
  }
}

async function referrersHere({ store }: Registry, exchange: Exchange, name: Name, digest: string): Promise<void> {
  if (!isDigest(digest)) throw digestInvalid(`"${digest}" is no digest`);
  const manifests = await store.repository(name).referrers(digest);
  const body = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
  answer(exchange, 200, { "content-type": MEDIA_TYPE.index }, body);
}
