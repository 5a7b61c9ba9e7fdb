// Blobs of a registry (distribution-spec v1.1, "Pulling blobs", "Pushing blobs", "Mounting a blob"). Bytes are checked against
// their digest as they pass; a download that breaks off goes on where it stopped.

import { pipeline, Readable } from "node:stream";
import { verifying } from "../digest.ts";
import type { Digest } from "../digest.ts";
import { RegistryError } from "./error.ts";
import { discardBody } from "./body.ts";
import { download, lengthOf, openDownload } from "./download.ts";
import type { OpenedBlob } from "./download.ts";
import { pullScope, pushScope } from "./scope.ts";
import { resolveLocation } from "./location.ts";
import type { Transport } from "./transport.ts";

/** Bytes to upload. `open` gives them from the start, each time it is called. */
export interface BlobSource {
  digest: Digest;
  /** In bytes. */
  size: number;
  open: () => Readable;
}

/** Some registries insist on being told that there is no body. */
const NO_BODY = { "content-length": "0" };

export type PushOutcome = "exists" | "mounted" | "uploaded";

export class Blobs {
  readonly #transport: Transport;
  readonly #url: (repository: string, path: string) => URL;

  /** @param url gives the URL of a path within a repository */
  constructor(transport: Transport, url: (repository: string, path: string) => URL) {
    this.#transport = transport;
    this.#url = url;
  }

  async has(repository: string, digest: Digest): Promise<boolean> {
    return (await this.head(repository, digest)) !== undefined;
  }

  /** What the registry says of a blob, without its bytes; `undefined` where it has none. `size` is in bytes, if it is told. */
  async head(repository: string, digest: Digest): Promise<{ size: number | undefined } | undefined> {
    const url = this.#url(repository, `blobs/${digest}`);
    const request = { method: "HEAD", url, scopes: pullScope(repository), accept: [404] };
    const { status, headers } = await this.#transport.request(request);
    return status === 404 ? undefined : { size: lengthOf(headers) };
  }

  /** The bytes of a blob; the stream fails at its end if they are not what `digest` and `size` (in bytes) say. */
  get(repository: string, digest: Digest, size: number): Readable {
    const url = this.#url(repository, `blobs/${digest}`);
    const source = Readable.from(download(this.#transport, { url, scopes: pullScope(repository), size }));
    // `pipeline` hands errors on to the stream it returns, so the callback has nothing left to do.
    return pipeline(source, verifying(digest, size, url.host + url.pathname), () => {});
  }

  /**
   * Asks for a blob whose size nobody has told us; the promise is kept when the registry has begun to answer. The bytes are unchecked.
   * @param silenceMs how long the connection may be silent before the download is taken up again
   */
  async open(repository: string, digest: Digest, silenceMs?: number): Promise<OpenedBlob> {
    const url = this.#url(repository, `blobs/${digest}`);
    return await openDownload(this.#transport, { url, scopes: pullScope(repository), silenceMs });
  }

  /**
   * Makes sure the registry has a blob, with as little traffic as it takes.
   * @param from a repository of the same registry that may have the blob already
   */
  async push(repository: string, source: BlobSource, from?: string): Promise<PushOutcome> {
    if (await this.has(repository, source.digest)) return "exists";
    return await this.upload(repository, source, from);
  }

  /** As `push`, without asking first. */
  async upload(repository: string, source: BlobSource, from?: string): Promise<PushOutcome> {
    // An upload session is spent once its bytes were sent, so each try begins with a new one.
    return await this.#transport.retrying(async () => {
      if (from !== undefined && (await this.#mount(repository, source.digest, from))) return "mounted";
      await this.#finish(repository, await this.#begin(repository), source);
      return "uploaded";
    });
  }

  /** Deletes a blob. @returns false where there was none */
  async delete(repository: string, digest: Digest): Promise<boolean> {
    return await this.#transport.delete(repository, this.#url(repository, `blobs/${digest}`));
  }

  /** Asks the registry to take the blob from another of its repositories. @returns false if it would rather have the bytes */
  async #mount(repository: string, digest: Digest, from: string): Promise<boolean> {
    const url = this.#url(repository, "blobs/uploads/");
    url.search = new URLSearchParams({ mount: digest, from }).toString();
    const scopes = [...pushScope(repository), ...pullScope(from)];
    try {
      const response = await this.#transport.request({ method: "POST", url, scopes, headers: NO_BODY, once: true });
      discardBody(response);
      // 202 opens an upload session that nobody will use; registries clear such away by themselves.
      return response.status === 201;
    } catch (error) {
      // Who may not read the other repository can still send the bytes.
      if (error instanceof RegistryError && !error.temporary) return false;
      throw error;
    }
  }

  /** Opens an upload session. */
  async #begin(repository: string): Promise<URL> {
    const url = this.#url(repository, "blobs/uploads/");
    const scopes = pushScope(repository);
    const response = await this.#transport.request({ method: "POST", url, scopes, headers: NO_BODY, once: true });
    discardBody(response);
    const location = response.headers.get("location");
    if (location !== null) return resolveLocation(location, url);
    throw new RegistryError("the registry began an upload but named no place for it", {
      where: url.host + url.pathname,
    });
  }

  async #finish(repository: string, session: URL, { digest, size, open }: BlobSource): Promise<void> {
    // The session's own query may be opaque state: it is added to, never parsed and written anew.
    const url = new URL(`${session.href}${session.search === "" ? "?" : "&"}digest=${encodeURIComponent(digest)}`);
    const headers = { "content-type": "application/octet-stream" };
    const opened: Readable[] = [];
    const stream = { size, open: () => opened[opened.push(open()) - 1] as Readable };
    const request = { method: "PUT", url, scopes: pushScope(repository), headers, stream, once: true };
    try {
      discardBody(await this.#transport.request(request));
    } finally {
      // A registry that refuses before it has read everything leaves the file open.
      for (const source of opened) source.destroy();
    }
  }
}
