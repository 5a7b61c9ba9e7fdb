// Bodies come from strangers: they are read up to a limit, never without one.

import { WaybillError } from "../error.ts";
import type { Answer } from "./answer.ts";
import { silence } from "./error.ts";

/** A body that comes in drops may take this many times the silence that ends it. */
const PATIENCE = 10;
/** How long a body may be silent, in milliseconds, by default. */
const DEFAULT_SILENCE_MS = 30_000;

/**
 * @param silenceMs how long nothing may come, in milliseconds
 * @throws {WaybillError} the body is longer than `limit` bytes, or stops in the middle
 */
export async function readBounded(answer: Answer, limit: number, silenceMs = DEFAULT_SILENCE_MS): Promise<Buffer> {
  const { body, url } = answer;
  const chunks: Uint8Array[] = [];
  let size = 0;
  const giveUp = (ms: number) => (): void => void body.destroy(silence("GET", url, ms));
  const deadline = setTimeout(giveUp(silenceMs * PATIENCE), silenceMs * PATIENCE);
  const quiet = setTimeout(giveUp(silenceMs), silenceMs);
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      quiet.refresh();
      size += chunk.length;
      if (size > limit) throw tooLong(answer, limit);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(deadline);
    clearTimeout(quiet);
  }
}

function tooLong({ url: { host, pathname } }: Answer, limit: number): WaybillError {
  return new WaybillError(`the registry sent more than ${limit} bytes where a short answer was due`, {
    where: host + pathname,
  });
}

/** What is left of a short body is read, so that its connection can be used again; a long one costs the connection. */
const WORTH_READING = 64 * 1024;
const WORTH_WAITING_MS = 1000;

/** For an answer whose body nobody wants. */
export function discardBody({ body, headers }: Answer): void {
  if (Number(headers.get("content-length") ?? 0) > WORTH_READING) return void body.destroy();
  const timer = setTimeout(() => body.destroy(), WORTH_WAITING_MS).unref();
  body.once("close", () => clearTimeout(timer)).resume();
}
