// One verified download: streamed to a temporary file while it is hashed, resumed where a connection breaks, and put in place
// only when every byte is the right one.

import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { WaybillError, messageOf, openAtomic } from "@waybill/oci";
import type { AtomicFile } from "@waybill/oci";
import type { Content } from "./cache.ts";
import { isDiskError } from "./disk.ts";
import { prepareNetwork } from "@waybill/oci/network";

const ATTEMPTS = 4;
/** Without a byte for this long a connection counts as broken. */
const IDLE_MS = 30_000;

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Milliseconds before the second attempt; doubles with each. Default 250. */
  retryDelayMs?: number | undefined;
}

/** The source answered that it doesn't have the file (404 or 410): another may have it. */
export class AbsentError extends WaybillError {}

/** The source served something else than what is locked: to be looked at, not worked around. */
export class WrongBytesError extends WaybillError {}

/**
 * Downloads `url` to `file`, which is there afterwards if and only if it has the expected content.
 * @throws {AbsentError} the server doesn't have it
 * @throws {WrongBytesError} other bytes than expected
 * @throws {WaybillError} unreachable after four attempts
 */
export async function download(
  url: string,
  file: string,
  content: Content,
  options: DownloadOptions = {},
): Promise<void> {
  prepareNetwork(url);
  const target = await openAtomic(file);
  try {
    await new Transfer(url, target, content, options).finish();
    await target.handle.chmod(0o644);
    await target.handle.utimes(0, 0);
    await target.commit();
  } finally {
    await target.discard();
  }
}

class Transfer {
  readonly #url: string;
  readonly #target: AtomicFile;
  readonly #content: Content;
  readonly #options: DownloadOptions;
  #hash: Hash;
  #received = 0;

  constructor(url: string, target: AtomicFile, content: Content, options: DownloadOptions) {
    this.#url = url;
    this.#target = target;
    this.#content = content;
    this.#options = options;
    this.#hash = createHash(content.algorithm);
  }

  async finish(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#attempt();
        return this.#verify();
      } catch (error) {
        this.#options.signal?.throwIfAborted();
        if (error instanceof WaybillError || isDiskError(error)) throw error;
        if (attempt === ATTEMPTS) throw this.#unreachable(error);
        await sleep((this.#options.retryDelayMs ?? 250) * 2 ** (attempt - 1), undefined, this.#signals());
      }
    }
  }

  /** Temporary faults are plain errors, final ones WaybillErrors. */
  async #attempt(): Promise<void> {
    const idle = new AbortController();
    const timer = setTimeout(() => idle.abort(new Error(`no answer for ${IDLE_MS / 1000} s`)), IDLE_MS);
    const signal = AbortSignal.any([idle.signal, ...(this.#options.signal ? [this.#options.signal] : [])]);
    try {
      const response = await fetch(this.#url, { headers: this.#headers(), signal });
      await this.#begin(response);
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        await this.#write(chunk);
      }
      const { size } = this.#content;
      if (size !== undefined && this.#received < size)
        throw new Error(`ended after ${this.#received} of ${size} bytes`);
    } finally {
      clearTimeout(timer);
    }
  }

  #headers(): Record<string, string> {
    const plain = { "accept-encoding": "identity" };
    return this.#received > 0 ? { ...plain, range: `bytes=${this.#received}-` } : plain;
  }

  async #begin(response: Response): Promise<void> {
    const { status } = response;
    if (status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${this.#received}-`)) return;
    if (status === 200) return this.#restart();
    await response.body?.cancel();
    if (status === 404 || status === 410) throw new AbsentError(`${status} not found`, { where: this.#url });
    // 416: what we hold is not a beginning of what the server has. Anything else of the 5xx kind may pass.
    if (status === 206 || status === 416) await this.#restart();
    if (status < 500 && ![206, 408, 416, 425, 429].includes(status)) {
      throw new WaybillError(`the server answered ${status}`, { where: this.#url });
    }
    throw new Error(`the server answered ${status}`);
  }

  async #restart(): Promise<void> {
    await this.#target.handle.truncate(0);
    this.#received = 0;
    this.#hash = createHash(this.#content.algorithm);
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { size } = this.#content;
    if (size !== undefined && this.#received + chunk.length > size) throw this.#wrong(`more than ${size} bytes`);
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await this.#target.handle.write(chunk, done, undefined, this.#received + done);
      done += bytesWritten;
    }
    this.#hash.update(chunk);
    this.#received += chunk.length;
  }

  #verify(): void {
    const actual = this.#hash.digest("hex");
    if (actual !== this.#content.hex) throw this.#wrong(`${this.#content.algorithm} ${actual}`);
  }

  #wrong(got: string): WrongBytesError {
    const { algorithm, hex } = this.#content;
    return new WrongBytesError(`wrong bytes: got ${got}, the lock has ${algorithm} ${hex}`, { where: this.#url });
  }

  #unreachable(error: unknown): WaybillError {
    const reason = error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
    return new WaybillError(`download failed after ${ATTEMPTS} attempts (${reason})`, {
      where: this.#url,
      cause: error,
    });
  }

  #signals(): { signal?: AbortSignal } {
    return this.#options.signal ? { signal: this.#options.signal } : {};
  }
}
