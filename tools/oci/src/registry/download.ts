// The bytes of a blob over connections that may break: a download goes on from the byte it reached (RFC 9110 section 14, Range),
// so a large layer does not start over.

import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Headers } from "./answer.ts";
import { discardBody } from "./body.ts";
import { takeOver } from "./direct.ts";
import { disconnection, RegistryError, silence } from "./error.ts";
import type { Chunk } from "./slab.ts";
import type { Transport } from "./transport.ts";

/** How many breaks in a row, without a byte between them, are put up with. */
const MAX_BARREN_TRIES = 4;
const PAUSE_MS = 200;
/** How long a connection may be silent in the middle of a blob before it counts as broken, by default. */
const DEFAULT_SILENCE_MS = 60_000;

export interface Download {
  url: URL;
  scopes: readonly string[];
  /** Of the whole blob, in bytes; where it isn't known, the end of the first answer is the end. */
  size: number | undefined;
  /** How long the connection may be silent, in milliseconds. */
  silenceMs?: number | undefined;
}

/** An answer that has begun, and what ends it. */
interface Opened {
  response: Answer;
  abort: AbortController;
}

/** A blob of which the registry has sent the header. */
export interface OpenedBlob {
  /** As the registry says, in bytes; it may say nothing, or lie. */
  size: number | undefined;
  /** The bytes, unchecked. Their memory is to be given back. */
  body: AsyncIterable<Chunk>;
  /** For who won't read them after all. */
  discard(): void;
}

/** Asks for a blob; the promise is kept when the registry has begun to answer. */
export async function openDownload(transport: Transport, asked: Omit<Download, "size">): Promise<OpenedBlob> {
  const first = await ask(transport, asked, 0);
  const size = lengthOf(first.response.headers);
  const body = chunksOf(transport, { ...asked, size }, first);
  return { size, body, discard: () => discardBody(first.response) };
}

/** Yields the blob from its first byte to its last, however many requests that takes. */
export async function* download(transport: Transport, asked: Download): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of chunksOf(transport, asked)) yield bytes;
}

/**
 * As `download`, in memory to be given back.
 * @param first an answer that has begun already
 */
async function* chunksOf(
  transport: Transport,
  { url, scopes, size, silenceMs = DEFAULT_SILENCE_MS }: Download,
  first?: Opened,
): AsyncGenerator<Chunk> {
  let reached = 0;
  let opened = first;
  for (let barren = 0; ; barren++) {
    const before = reached;
    try {
      const { response, abort } = opened ?? (await ask(transport, { url, scopes }, reached));
      opened = undefined;
      for await (const chunk of awake(bytesFrom(response, reached), abort, silenceMs, url)) {
        reached += chunk.bytes.length;
        yield chunk;
      }
      if (size === undefined || reached >= size) return;
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

/** The length of a body in bytes, if the registry tells it. */
export function lengthOf(headers: Headers): number | undefined {
  const length = headers.get("content-length");
  return length !== null && /^\d+$/.test(length) ? Number(length) : undefined;
}

async function ask(
  transport: Transport,
  { url, scopes }: Pick<Download, "url" | "scopes">,
  start: number,
): Promise<Opened> {
  const abort = new AbortController();
  const headers: Record<string, string> = start === 0 ? {} : { range: `bytes=${start}-` };
  return { response: await transport.request({ method: "GET", url, scopes, headers, signal: abort.signal }), abort };
}

/** The bytes from `start` on. A server that knows no ranges sends them all: then the first `start` are passed over. */
function bytesFrom({ body, status }: Answer, start: number): AsyncIterable<Chunk> {
  const chunks = takeOver(body) ?? whole(body);
  return start === 0 || status === 206 ? chunks : skip(chunks, start);
}

async function* whole(body: AsyncIterable<Uint8Array>): AsyncGenerator<Chunk> {
  for await (const bytes of body) yield { bytes };
}

/** Passes on what comes, and breaks the connection where nothing does. Only the time spent waiting for the registry counts. */
async function* awake(
  source: AsyncIterable<Chunk>,
  abort: AbortController,
  silenceMs: number,
  url: URL,
): AsyncGenerator<Chunk> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const timer = setTimeout(() => abort.abort(silence("GET", url, silenceMs, true)), silenceMs);
      const { done, value } = await chunks.next().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    // Who has enough before the end gives the connection back.
    await chunks.return?.();
  }
}

async function* skip(body: AsyncIterable<Chunk>, count: number): AsyncGenerator<Chunk> {
  let left = count;
  for await (const { bytes, release } of body) {
    if (left < bytes.length) yield { bytes: bytes.subarray(left), ...(release && { release }) };
    else release?.();
    left = Math.max(0, left - bytes.length);
  }
}
