// Pushing blobs (distribution-spec, "Pushing a blob monolithically", "… in chunks", "Mounting a blob from another repository").

import { statfs } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { isDigest, splitDigest } from "@waybill/oci/digest";
import type { Algorithm, Digest } from "@waybill/oci/digest";
import { formatName, readName } from "../name.ts";
import type { Name } from "../name.ts";
import type { Registry } from "../registry.ts";
import type { Upload } from "../store/uploads.ts";
import { answer, bodyOf, parameter } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { digestInvalid, Problem } from "./problem.ts";

export async function beginUpload(registry: Registry, exchange: Exchange, name: Name): Promise<void> {
  const mount = parameter(exchange, "mount");
  if (mount !== undefined && (await mountBlob(registry, exchange, name, mount))) return;
  const digest = readDigest(exchange);
  const algorithm = digest ? splitDigest(digest).algorithm : readAlgorithm(exchange);
  const upload = await registry.store.uploads.begin(formatName(name), algorithm);
  if (digest === undefined) return accept(exchange, name, upload);
  await finish(registry, exchange, name, upload, digest);
}

/** Takes a blob over from another repository that the user may read. @returns false if the bytes are needed */
async function mountBlob(registry: Registry, exchange: Exchange, name: Name, digest: string): Promise<boolean> {
  if (!isDigest(digest)) throw digestInvalid(`"${digest}" is no digest`);
  const { store } = registry;
  if ((await store.vault.size(digest)) === undefined) return false;
  const from = parameter(exchange, "from");
  const sources = from === undefined ? anySource(registry, name) : [readName(from)];
  for await (const source of sources) {
    if (source === undefined || !registry.access.mayRead(exchange.user, source)) continue;
    if (!(await store.repository(source).hasBlob(digest))) continue;
    await store.repository(name).addBlob(digest);
    created(exchange, name, digest);
    return true;
  }
  return false;
}

/** How long a blob is looked for of which nobody says where it is. Among thousands of repositories, sending it is quicker. */
const SEARCH_MS = 250;

/** Where it may be: in the repository itself, then in any other. */
async function* anySource({ store }: Registry, name: Name): AsyncGenerator<Name> {
  const until = performance.now() + SEARCH_MS;
  yield name;
  for await (const held of store.repositories()) {
    if (performance.now() > until) return;
    yield held.name;
  }
}

export async function patchUpload(registry: Registry, exchange: Exchange, name: Name, id: string): Promise<void> {
  await working(registry, name, id, async (upload) => {
    await append(registry, exchange.request, upload);
    accept(exchange, name, upload);
  });
}

export async function finishUpload(registry: Registry, exchange: Exchange, name: Name, id: string): Promise<void> {
  const digest = readDigest(exchange);
  if (digest === undefined) throw digestInvalid("the digest is missing");
  await working(registry, name, id, (upload) => finish(registry, exchange, name, upload, digest));
}

export async function uploadStatus(registry: Registry, exchange: Exchange, name: Name, id: string): Promise<void> {
  const upload = await find(registry, name, id);
  answer(exchange, 204, headersOf(name, upload));
}

export async function cancelUpload(registry: Registry, exchange: Exchange, name: Name, id: string): Promise<void> {
  await working(registry, name, id, async () => {
    await registry.store.uploads.cancel(id);
    answer(exchange, 204, {});
  });
}

/** One request at a time may work on an upload. */
async function working(
  registry: Registry,
  name: Name,
  id: string,
  action: (upload: Upload) => Promise<void>,
): Promise<void> {
  const { uploads } = registry.store;
  const upload = await find(registry, name, id);
  if (!uploads.take(id)) throw new Problem(409, "BLOB_UPLOAD_INVALID", "another request is at this upload");
  try {
    await action(upload);
  } finally {
    uploads.giveBack(id);
  }
}

async function find({ store }: Registry, name: Name, id: string): Promise<Upload> {
  const upload = await store.uploads.find(formatName(name), id);
  if (upload === undefined) throw new Problem(404, "BLOB_UPLOAD_UNKNOWN", "no such upload, or it is over");
  return upload;
}

async function finish(
  registry: Registry,
  exchange: Exchange,
  name: Name,
  upload: Upload,
  digest: Digest,
): Promise<void> {
  const { store } = registry;
  await append(registry, exchange.request, upload);
  const actual = await store.uploads.finish(upload, digest);
  if (actual !== undefined) throw digestInvalid(`the bytes are ${actual}, not ${digest}`);
  await store.repository(name).addBlob(digest);
  created(exchange, name, digest);
}

/** Adds the request's body to the upload, whose size grows with it. */
async function append({ config, store }: Registry, request: IncomingMessage, upload: Upload): Promise<void> {
  const length = request.headers["content-length"];
  assertInOrder(request, upload);
  await assertRoom(store.folder, Number(length ?? 0), config.keepFree);
  const before = upload.size;
  upload.size = await store.uploads.append(upload, bodyOf(request));
  const came = upload.size - before;
  const range = rangeOf(request);
  if (range && range.last - range.start + 1 !== came)
    throw new Problem(
      400,
      "SIZE_INVALID",
      `Content-Range tells of ${range.last - range.start + 1} bytes, but ${came} came`,
    );
}

function assertInOrder(request: IncomingMessage, { size }: Upload): void {
  const text = request.headers["content-range"];
  const range = rangeOf(request);
  if (text === undefined || (range?.start === size && range.last >= range.start)) return;
  throw new Problem(416, "BLOB_UPLOAD_INVALID", `the next byte is ${size}`, { range: `0-${Math.max(0, size - 1)}` });
}

function rangeOf(request: IncomingMessage): { start: number; last: number } | undefined {
  // The spec's "0-99"; some clients write it as responses do.
  const [, start, last] =
    /^(?:bytes )?(\d+)-(\d+)(?:\/(?:\d+|\*))?$/.exec(request.headers["content-range"] ?? "") ?? [];
  return last === undefined ? undefined : { start: Number(start), last: Number(last) };
}

async function assertRoom(folder: string, size: number, keepFree: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize - size < keepFree) throw new Problem(507, "DENIED", "the registry's disk is full");
}

function readDigest(exchange: Exchange): Digest | undefined {
  const digest = parameter(exchange, "digest");
  if (digest === undefined || isDigest(digest)) return digest;
  throw digestInvalid(`"${digest}" is no digest: sha256: and 64, or sha512: and 128, lower-case hex digits`);
}

function readAlgorithm(exchange: Exchange): Algorithm {
  const algorithm = parameter(exchange, "digest-algorithm") ?? "sha256";
  if (algorithm === "sha256" || algorithm === "sha512") return algorithm;
  throw digestInvalid(`"${algorithm}" is no algorithm of ours: sha256 or sha512`);
}

function accept(exchange: Exchange, name: Name, upload: Upload): void {
  answer(exchange, 202, headersOf(name, upload));
}

function headersOf(name: Name, { id, size }: Upload): Record<string, string> {
  return {
    location: `/v2/${formatName(name)}/blobs/uploads/${id}`,
    range: `0-${Math.max(0, size - 1)}`,
    "docker-upload-uuid": id,
  };
}

function created(exchange: Exchange, name: Name, digest: Digest): void {
  const location = `/v2/${formatName(name)}/blobs/${digest}`;
  answer(exchange, 201, { location, "docker-content-digest": digest });
}
