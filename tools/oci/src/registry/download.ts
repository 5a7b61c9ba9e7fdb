// The bytes of a blob over connections that may break: a download goes on from the byte it reached (RFC 9110 section 14, Range),
// so a large layer does not start over.

import { setTimeout as sleep } from "node:timers/promises";
import { disconnection, RegistryError } from "./error.ts";
import type { Transport } from "./transport.ts";

/** How many breaks in a row, without a byte between them, are put up with. */
const MAX_BARREN_TRIES = 4;
const PAUSE_MS = 200;

interface Download {
  url: URL;
  scopes: readonly string[];
  /** Of the whole blob, in bytes. */
  size: number;
}

/** Yields the blob from its first byte to its last, however many requests that takes. */
export async function* download(transport: Transport, { url, scopes, size }: Download): AsyncGenerator<Uint8Array> {
  let reached = 0;
  for (let barren = 0; ; barren++) {
    const before = reached;
    try {
      for await (const chunk of await openAt(transport, url, scopes, reached)) {
        reached += chunk.length;
        yield chunk;
      }
      if (reached >= size) return;
      throw new RegistryError(`the registry sent ${reached} of ${size} bytes`, {
        where: url.host + url.pathname,
        temporary: true,
      });
    } catch (error) {
      transport.throwIfAborted();
      const failure = error instanceof RegistryError ? error : disconnection("GET", url, error);
      if (reached > before) barren = 0;
      if (!failure.temporary || barren >= MAX_BARREN_TRIES) throw failure;
      await sleep(PAUSE_MS * barren);
    }
  }
}

/** The bytes from `start` on. A server that knows no ranges sends them all: then the first `start` are passed over. */
async function openAt(
  transport: Transport,
  url: URL,
  scopes: readonly string[],
  start: number,
): Promise<AsyncIterable<Uint8Array>> {
  const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
  const response = await transport.request({ method: "GET", url, scopes, headers });
  const body = (response.body ?? []) as AsyncIterable<Uint8Array>;
  if (start === 0 || response.status === 206) return body;
  return skip(body, start);
}

async function* skip(body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const chunk of body) {
    if (left < chunk.length) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}
