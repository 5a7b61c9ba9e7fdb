// A registry as the OCI distribution spec v1.1 describes it: manifests and tags. Blobs are in blobs.ts. One client a registry; it
// keeps tokens and may be used in parallel.

import { z } from "zod";
import type { Descriptor } from "../descriptor.ts";
import { digestOf, isDigest, splitDigest } from "../digest.ts";
import type { Digest } from "../digest.ts";
import { check, parseJson } from "../document.ts";
import { WaybillError } from "../error.ts";
import { indexSchema } from "../imageindex.ts";
import { INDEX_MEDIA_TYPES, MANIFEST_MEDIA_TYPES } from "../mediatype.ts";
import { isRepository } from "../reference.ts";
import type { Answer, Headers } from "./answer.ts";
import { Blobs } from "./blobs.ts";
import { discardBody, readBounded } from "./body.ts";
import { credentialSource } from "./credentials.ts";
import type { CredentialSource } from "./credentials.ts";
import { endpointOf } from "./endpoint.ts";
import { RegistryError } from "./error.ts";
import { nextLink } from "./link.ts";
import type { RetryOptions } from "./retry.ts";
import { pullScope, pushScope } from "./scope.ts";
import type { Send } from "./send.ts";
import { resolveLocation } from "./location.ts";
import { Transport } from "./transport.ts";

/** The spec lets registries refuse manifests above 4 MiB. */
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_TAGS_BYTES = 4 * 1024 * 1024;
const ACCEPT = [...INDEX_MEDIA_TYPES, ...MANIFEST_MEDIA_TYPES].join(", ");

const tagsSchema = z.object({ tags: z.array(z.string()).nullish() });

export interface RegistryOptions {
  /** http instead of https (true) or the other way round (false); by default http on this machine alone. */
  plainHttp?: boolean | undefined;
  /** By default what docker and podman keep. */
  credentials?: CredentialSource | undefined;
  retry?: RetryOptions | undefined;
  /** How long the registry may take to begin an answer, and be silent within a manifest, in milliseconds; 30 s by default. */
  answerTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Laid over those of every request. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Called when the registry has begun an answer, whatever it says. */
  onAnswer?: ((headers: Headers) => void) | undefined;
  /** Where requests go, if not over the network. */
  send?: Send | undefined;
}

export interface FetchedManifest extends Descriptor {
  bytes: Buffer;
}

export class RegistryClient {
  /** As references name it. */
  readonly registry: string;
  readonly blobs: Blobs;
  readonly #origin: URL;
  readonly #transport: Transport;
  readonly #silenceMs: number | undefined;

  constructor(registry: string, options: RegistryOptions = {}) {
    this.registry = registry;
    this.#origin = endpointOf(registry, options.plainHttp);
    this.#silenceMs = options.answerTimeoutMs;
    const { credentials = credentialSource() } = options;
    this.#transport = new Transport(registry, this.#origin, { ...options, credentials });
    this.blobs = new Blobs(this.#transport, (repository, path) => this.#url(repository, path));
  }

  /** Asks whether the registry is there and lets us in. */
  async ping(): Promise<void> {
    discardBody(await this.#transport.request({ method: "GET", url: new URL("/v2/", this.#origin), scopes: [] }));
  }

  /** What a tag or digest points at; `undefined` where there is nothing. */
  async headManifest(repository: string, reference: string): Promise<Descriptor | undefined> {
    const response = await this.#readManifest("HEAD", repository, reference);
    if (response.status === 404) return undefined;
    const digest = response.headers.get("docker-content-digest") ?? "";
    const size = Number(response.headers.get("content-length") ?? Number.NaN);
    // Both headers are optional: a registry that leaves one out is asked for the whole.
    if (!isDigest(digest) || !Number.isInteger(size)) return await this.getManifest(repository, reference);
    return { mediaType: mediaTypeOf(response), digest, size };
  }

  /** The manifest or index itself, checked against its digest; `undefined` where there is none. */
  async getManifest(repository: string, reference: string): Promise<FetchedManifest | undefined> {
    const response = await this.#readManifest("GET", repository, reference);
    if (response.status === 404) return undefined;
    const bytes = await this.#read(response, MAX_MANIFEST_BYTES);
    const promised = isDigest(reference) ? reference : response.headers.get("docker-content-digest");
    const digest = digestOf(
      bytes,
      promised !== null && isDigest(promised) ? splitDigest(promised).algorithm : "sha256",
    );
    if (promised !== null && promised !== digest) throw this.#mismatch(repository, reference, promised, digest);
    return { mediaType: mediaTypeOf(response), digest, size: bytes.length, bytes };
  }

  /** Stores a manifest under a tag or under its own digest. What it points at must be there already. */
  async putManifest(repository: string, reference: string, mediaType: string, bytes: Uint8Array): Promise<Digest> {
    const digest = digestOf(bytes, isDigest(reference) ? splitDigest(reference).algorithm : "sha256");
    if (isDigest(reference) && reference !== digest) throw this.#mismatch(repository, reference, reference, digest);
    const url = this.#url(repository, `manifests/${reference}`);
    const headers = { "content-type": mediaType };
    const response = await this.#transport.request({
      method: "PUT",
      url,
      scopes: pushScope(repository),
      headers,
      body: bytes,
    });
    discardBody(response);
    const stored = response.headers.get("docker-content-digest");
    if (stored !== null && stored !== digest) throw this.#mismatch(repository, reference, digest, stored);
    return digest;
  }

  /** All tags of a repository, in the registry's order; none where it does not exist. */
  async listTags(repository: string): Promise<string[]> {
    const tags: string[] = [];
    const seen = new Set<string>();
    let url: URL | undefined = this.#url(repository, "tags/list");
    while (url !== undefined && !seen.has(url.href)) {
      seen.add(url.href);
      const request = { method: "GET", url, scopes: pullScope(repository), accept: [404] };
      const response: Answer = await this.#transport.request(request);
      if (response.status === 404) {
        discardBody(response);
        break;
      }
      const page = check(tagsSchema, parseJson(await this.#read(response, MAX_TAGS_BYTES), url.href), url.href);
      tags.push(...(page.tags ?? []));
      const next = nextLink(response.headers.get("link"));
      url = next === undefined ? undefined : resolveLocation(next, url);
    }
    return tags;
  }

  /** What refers to a manifest (spec, "Listing Referrers"); by the tag schema where the registry doesn't know the question. */
  async listReferrers(repository: string, digest: Digest): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    const seen = new Set<string>();
    let url: URL | undefined = this.#url(repository, `referrers/${digest}`);
    while (url !== undefined && !seen.has(url.href)) {
      seen.add(url.href);
      const request = { method: "GET", url, scopes: pullScope(repository), accept: [404] };
      const response: Answer = await this.#transport.request(request);
      if (response.status === 404) {
        discardBody(response);
        return await this.#referrersByTag(repository, digest);
      }
      const bytes = await this.#read(response, MAX_MANIFEST_BYTES);
      found.push(...check(indexSchema, parseJson(bytes, url.href), url.href).manifests);
      const next = nextLink(response.headers.get("link"));
      url = next === undefined ? undefined : resolveLocation(next, url);
    }
    return found;
  }

  /** Deletes a manifest by its digest, or a tag. @returns false where there was nothing to delete */
  async deleteManifest(repository: string, reference: string): Promise<boolean> {
    return await this.#transport.delete(repository, this.#url(repository, `manifests/${reference}`));
  }

  async #referrersByTag(repository: string, digest: Digest): Promise<Descriptor[]> {
    const { algorithm, hex } = splitDigest(digest);
    const tag = `${algorithm}-${hex.slice(0, 64)}`;
    const found = await this.getManifest(repository, tag);
    if (found === undefined || !INDEX_MEDIA_TYPES.includes(found.mediaType)) return [];
    const where = `${this.registry}/${repository}:${tag}`;
    return check(indexSchema, parseJson(found.bytes, where), where).manifests;
  }

  async #readManifest(method: "GET" | "HEAD", repository: string, reference: string): Promise<Answer> {
    const url = this.#url(repository, `manifests/${reference}`);
    const headers = { accept: ACCEPT };
    const response = await this.#transport.request({
      method,
      url,
      scopes: pullScope(repository),
      headers,
      accept: [404],
    });
    if (response.status === 404) discardBody(response);
    return response;
  }

  async #read(response: Answer, limit: number): Promise<Buffer> {
    return await readBounded(response, limit, this.#silenceMs);
  }

  #url(repository: string, path: string): URL {
    if (!isRepository(repository)) throw new WaybillError(`"${repository}" is not the name of a repository`);
    return new URL(`/v2/${repository}/${path}`, this.#origin);
  }

  #mismatch(repository: string, reference: string, expected: string, actual: string): RegistryError {
    const where = `${this.registry}/${repository} ${reference}`;
    return new RegistryError(`expected manifest ${expected} but got ${actual}`, { where, temporary: true });
  }
}

/** Parameters such as a charset are no part of the type. */
function mediaTypeOf(response: Answer): string {
  return response.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
}
