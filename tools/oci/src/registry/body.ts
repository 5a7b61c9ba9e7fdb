// Bodies come from strangers: they are read up to a limit, never without one.

import { WaybillError } from "../error.ts";

/** @throws {WaybillError} the body is longer than `limit` bytes */
export async function readBounded(response: Response, limit: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limit) throw tooLong(response, limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
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
