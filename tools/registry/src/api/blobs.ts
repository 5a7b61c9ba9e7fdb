// Blobs (distribution-spec, "Pulling blobs", "Deleting Blobs").

import { isDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import type { Name } from "../name.ts";
import type { Registry } from "../registry.ts";
import { storedSource } from "../source.ts";
import type { Source } from "../source.ts";
import type { FoundBlob } from "../upstream/blobs.ts";
import { answer } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { blobUnknown, digestInvalid, Problem } from "./problem.ts";
import { readRange } from "./range.ts";
import { sendBytes } from "./send.ts";

export async function headBlob(registry: Registry, exchange: Exchange, name: Name, text: string): Promise<void> {
  const digest = asDigest(text);
  const found = await sizeOf(registry, name, digest);
  if (found === undefined) throw blobUnknown(digest);
  exchange.response.writeHead(200, {
    ...headersOf(digest),
    ...(found.size !== undefined && { "content-length": found.size }),
  });
  exchange.response.end();
}

async function sizeOf(
  { store, blobs }: Registry,
  name: Name,
  digest: Digest,
): Promise<{ size: number | undefined } | undefined> {
  const { upstream } = name;
  if (upstream !== undefined) return await blobs.head({ ...name, upstream }, digest);
  const size = (await store.repository(name).hasBlob(digest)) ? await store.vault.size(digest) : undefined;
  return size === undefined ? undefined : { size };
}

export async function getBlob(registry: Registry, exchange: Exchange, name: Name, text: string): Promise<void> {
  const digest = asDigest(text);
  if (exchange.request.headers["if-none-match"] === `"${digest}"`) return answer(exchange, 304, headersOf(digest));
  const found = await find(registry, name, digest);
  if (found === undefined) throw blobUnknown(digest);
  exchange.from = found.from;
  registry.metrics.add("waybill_registry_blobs_total", { from: found.from });
  try {
    await sendBlob(registry, exchange, digest, found.source);
  } finally {
    await found.source.close();
  }
}

async function find({ store, blobs, heal }: Registry, name: Name, digest: Digest): Promise<FoundBlob | undefined> {
  const { upstream } = name;
  if (upstream !== undefined) return await blobs.get({ ...name, upstream }, digest);
  if (!(await store.repository(name).hasBlob(digest))) return undefined;
  const source =
    (await storedSource(store.vault, digest)) ?? ((await heal(digest)) && (await storedSource(store.vault, digest)));
  return source ? { source, from: "hit" } : undefined;
}

/** Sends a blob, or the part of it that is asked for; for HEAD what it would say of it. */
export async function sendBlob(
  { metrics }: Registry,
  exchange: Exchange,
  digest: Digest,
  source: Source,
): Promise<void> {
  const { request, response, method } = exchange;
  const { size } = source;
  if (method === "HEAD") {
    response.writeHead(200, { ...headersOf(digest), ...(size !== undefined && { "content-length": size }) }).end();
    return;
  }
  const range = size === undefined ? undefined : readRange(request.headers.range, size);
  if (range === "unsatisfiable") {
    throw new Problem(416, "SIZE_INVALID", "the range is outside of the blob", { "content-range": `bytes */${size}` });
  }
  const start = range?.start ?? 0;
  const end = range ? range.last + 1 : size;
  // A download that breaks off before its first byte can still be answered with an error.
  const first = await source.read(start, end);
  response.writeHead(range ? 206 : 200, {
    ...headersOf(digest),
    ...(end !== undefined && { "content-length": end - start }),
    ...(range && { "content-range": `bytes ${start}-${range.last}/${size}` }),
  });
  const sent = await sendBytes(response, source, start, end, Promise.resolve(first));
  metrics.add("waybill_registry_sent_bytes_total", {}, sent);
  if (end !== undefined && sent < end - start) throw new Error(`${digest} ended after ${sent} of ${end - start} bytes`);
  response.end();
}

export async function deleteBlob({ store }: Registry, exchange: Exchange, name: Name, text: string): Promise<void> {
  const digest = asDigest(text);
  // Its bytes may be another repository's too: they are the sweep's.
  if (!(await store.repository(name).deleteBlob(digest))) throw blobUnknown(digest);
  answer(exchange, 202, { "docker-content-digest": digest });
}

function asDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw digestInvalid(`"${text}" is no digest: sha256: and 64, or sha512: and 128, lower-case hex digits`);
}

function headersOf(digest: Digest): Record<string, string> {
  return {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
    "cache-control": "max-age=31536000, immutable",
    // Content from strangers: no browser shall run it.
    "x-content-type-options": "nosniff",
  };
}
