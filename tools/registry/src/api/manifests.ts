// Manifests (distribution-spec, "Pulling manifests", "Pushing Manifests", "Deleting Manifests").

import type { IncomingMessage } from "node:http";
import { digestOf, isDigest, splitDigest } from "@waybill/oci/digest";
import type { Digest } from "@waybill/oci/digest";
import { messageOf } from "@waybill/oci/error";
import { isTag } from "@waybill/oci/reference";
import { heldImage } from "../image.ts";
import type { HeldImage } from "../image.ts";
import { MAX_MANIFEST_BYTES, readManifest, referrerOf } from "../manifest.ts";
import type { ReadManifest } from "../manifest.ts";
import { formatName } from "../name.ts";
import type { Name } from "../name.ts";
import type { Registry } from "../registry.ts";
import type { Repository } from "../store/repository.ts";
import { answer, bodyOf, STALE } from "./exchange.ts";
import type { Exchange } from "./exchange.ts";
import { digestInvalid, manifestInvalid, manifestUnknown, Problem } from "./problem.ts";

export async function getManifest(
  registry: Registry,
  exchange: Exchange,
  name: Name,
  reference: string,
): Promise<void> {
  if (!isDigest(reference) && !isTag(reference)) throw manifestUnknown(reference);
  const image = await find(registry, name, reference, asksAnew(exchange));
  exchange.from = image.from;
  registry.metrics.add("waybill_registry_manifests_total", { from: image.from });
  if (exchange.method === "GET") notePull(registry, exchange, name, reference, image.from);
  const etag = `"${image.digest}"`;
  const headers = {
    "docker-content-digest": image.digest,
    etag,
    // Content from strangers: no browser shall run it.
    "x-content-type-options": "nosniff",
    ...(image.from === "stale" && STALE),
  };
  if (exchange.request.headers["if-none-match"] === etag) return answer(exchange, 304, headers);
  answer(exchange, 200, { ...headers, "content-type": image.mediaType }, image.bytes);
}

function notePull({ pulls }: Registry, { request }: Exchange, name: Name, reference: string, from: string): void {
  const image = `${formatName(name)}${isDigest(reference) ? "@" : ":"}${reference}`;
  pulls.add({ at: new Date().toISOString(), image, from, client: request.socket.remoteAddress ?? "" });
}

/** RFC 9111 section 5.2.1.4: the answer shall be the upstream's of now, if that can be asked. */
function asksAnew({ request }: Exchange): boolean {
  return /\bno-cache\b/.test(request.headers["cache-control"] ?? "");
}

async function find(registry: Registry, name: Name, reference: string, anew: boolean): Promise<HeldImage> {
  const { upstream } = name;
  if (upstream !== undefined) return await registry.images.get({ ...name, upstream }, reference, anew);
  const repository = registry.store.repository(name);
  const digest = isDigest(reference) ? reference : (await repository.tag(reference))?.digest;
  const held = digest && (await heldImage(registry.store, repository, digest));
  if (!held) throw manifestUnknown(`${formatName(name)} ${reference}`);
  return held;
}

export async function putManifest(
  registry: Registry,
  exchange: Exchange,
  name: Name,
  reference: string,
): Promise<void> {
  const { request, response, url } = exchange;
  const tags = isDigest(reference) ? url.searchParams.getAll("tag") : [reference];
  const bad = tags.find((tag) => !isTag(tag));
  if (bad !== undefined) throw manifestInvalid(`"${bad}" is neither a tag nor a digest`);
  const bytes = await readBody(request);
  const digest = digestOf(bytes, isDigest(reference) ? splitDigest(reference).algorithm : "sha256");
  if (isDigest(reference) && digest !== reference) throw digestInvalid(`the manifest is ${digest}, not ${reference}`);
  const read = understood(bytes, request.headers["content-type"]);
  const repository = registry.store.repository(name);
  await assertComplete(registry, repository, read);
  await keep(registry, repository, bytes, digest, read);
  for (const tag of tags) await repository.setTag(tag, { digest, set: Date.now() });
  response.setHeader("location", `/v2/${formatName(name)}/manifests/${digest}`);
  response.setHeader("docker-content-digest", digest);
  if (read.subject) response.setHeader("oci-subject", read.subject.digest);
  if (isDigest(reference) && tags.length > 0) response.setHeader("oci-tag", tags);
  answer(exchange, 201, {});
}

/** In this order, so that whatever is there names only what is there. */
async function keep(
  { store }: Registry,
  repository: Repository,
  bytes: Buffer,
  digest: Digest,
  read: ReadManifest,
): Promise<void> {
  const size = bytes.length;
  await store.vault.put(bytes, digest);
  await repository.addManifest(digest, { mediaType: read.mediaType, size, came: Date.now() });
  if (read.subject) await repository.addReferrer(read.subject.digest, referrerOf(read, { digest, size }));
}

export async function deleteManifest(
  registry: Registry,
  exchange: Exchange,
  name: Name,
  reference: string,
): Promise<void> {
  const repository = registry.store.repository(name);
  const gone = isDigest(reference)
    ? await removeManifest(registry, repository, reference)
    : isTag(reference) && (await repository.deleteTag(reference));
  if (!gone) throw manifestUnknown(`${formatName(name)} ${reference}`);
  answer(exchange, 202, {});
}

/** Takes a manifest out of a repository, and the tags that name it. Its bytes are the sweep's. @returns false where there was none */
export async function removeManifest(
  { store }: Pick<Registry, "store">,
  repository: Repository,
  digest: Digest,
): Promise<boolean> {
  const record = await repository.manifest(digest);
  if (record === undefined) return false;
  const bytes = await store.vault.read(digest);
  const subject = bytes && understood(bytes, record.mediaType).subject;
  // Tags first: one that leads nowhere would be worse than a manifest without tags.
  for (const tag of await repository.tags())
    if ((await repository.tag(tag))?.digest === digest) await repository.deleteTag(tag);
  if (subject) await repository.deleteReferrer(subject.digest, digest);
  return await repository.deleteManifest(digest);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const tooLarge = new Problem(413, "SIZE_INVALID", `a manifest has at most ${MAX_MANIFEST_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_MANIFEST_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of bodyOf(request)) {
    size += chunk.length;
    if (size > MAX_MANIFEST_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws {Problem} MANIFEST_INVALID */
function understood(bytes: Buffer, contentType: string | undefined): ReadManifest {
  try {
    return readManifest(bytes, contentType, "the manifest");
  } catch (error) {
    throw manifestInvalid(messageOf(error));
  }
}

/** @throws {Problem} MANIFEST_BLOB_UNKNOWN: a config or layer isn't in the repository, or is damaged */
async function assertComplete({ store }: Registry, repository: Repository, { blobs }: ReadManifest): Promise<void> {
  for (const { digest, size } of blobs) {
    const held = (await repository.hasBlob(digest)) ? await store.vault.size(digest) : undefined;
    if (held === undefined)
      throw new Problem(404, "MANIFEST_BLOB_UNKNOWN", `the manifest names ${digest}, which is not here`);
    if (held !== size) throw manifestInvalid(`the manifest says ${digest} has ${size} bytes, but it has ${held}`);
  }
}
