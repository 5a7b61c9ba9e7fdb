// Bodies come from strangers: they are read up to a limit, never without one.

import { WaybillError } from "../error.ts";
import { silence } from "./error.ts";

/** A body that comes in drops may take this many times the silence that ends it. */
const PATIENCE = 10;
/** How long a body may be silent, in milliseconds, by default. */
const DEFAULT_SILENCE_MS = 30_000;

/**
 * @param silenceMs how long nothing may come, in milliseconds
 * @throws {WaybillError} the body is longer than `limit` bytes, or stops in the middle
 */
export async function readBounded(response: Response, limit: number, silenceMs = DEFAULT_SILENCE_MS): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const deadline = performance.now() + silenceMs * PATIENCE;
  const reader = response.body?.getReader();
  if (reader === undefined) return Buffer.alloc(0);
  try {
    for (;;) {
      const { done, value } = await within(Math.min(silenceMs, deadline - performance.now()), reader.read(), response);
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > limit) throw tooLong(response, limit);
      chunks.push(value);
    }
  } finally {
    // Frees the connection where the end was not reached.
    reader.cancel().catch(() => {});
  }
}

async function within<T>(ms: number, work: Promise<T>, { url }: Response): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(silence("GET", new URL(url), ms)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

function tooLong({ url }: Response, limit: number): WaybillError {
  const { host, pathname } = new URL(url);
  return new WaybillError(`the registry sent more than ${limit} bytes where a short answer was due`, {
    where: host + pathname,
  });
}

/** Frees the connection of an answer whose body nobody wants. */
export async function discardBody(response: Response): Promise<void> {
  await response.body?.cancel();
}
