// Digests name content (OCI image-spec, "Digests"). Whatever enters the store passes through one of these checks.

import { createHash } from "node:crypto";
import { Transform } from "node:stream";
import { WaybillError } from "./error.ts";

export type Algorithm = "sha256" | "sha512";
export type Digest = `${Algorithm}:${string}`;

/** The algorithms the spec registers that we accept, and the length of their hex part. */
const HEX_LENGTH: Record<Algorithm, number> = { sha256: 64, sha512: 128 };
const GRAMMAR = /^(?<algorithm>sha256|sha512):(?<hex>[0-9a-f]+)$/;

export function isDigest(text: string): text is Digest {
  const { algorithm, hex } = GRAMMAR.exec(text)?.groups ?? {};
  return hex !== undefined && hex.length === HEX_LENGTH[algorithm as Algorithm];
}

/** @throws {WaybillError} anything but a lower-case sha256 or sha512 digest */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new WaybillError(`"${text}" is not a digest`, { mend: "write sha256: and 64 lower-case hex digits" });
}

/** The two halves of a digest; `hex` holds nothing but [0-9a-f], so it is safe as a file name. */
export function splitDigest(digest: Digest): { algorithm: Algorithm; hex: string } {
  const colon = digest.indexOf(":");
  return { algorithm: digest.slice(0, colon) as Algorithm, hex: digest.slice(colon + 1) };
}

export function digestOf(bytes: string | Uint8Array, algorithm: Algorithm = "sha256"): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;
}

/** Reads a stream to its end. `size` is in bytes. */
export async function digestOfStream(
  stream: AsyncIterable<Uint8Array>,
  algorithm: Algorithm = "sha256",
): Promise<{ digest: Digest; size: number }> {
  const hash = createHash(algorithm);
  let size = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { digest: `${algorithm}:${hash.digest("hex")}`, size };
}

/**
 * Passes bytes through and fails where they are not what `digest` (and `size`, in bytes) promise. A reader must reach the end
 * before it trusts what it has read.
 */
export function verifying(digest: Digest, size?: number, where?: string): Transform {
  const { algorithm } = splitDigest(digest);
  const hash = createHash(algorithm);
  let seen = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      seen += chunk.length;
      if (size !== undefined && seen > size) return done(sizeMismatch(digest, size, "more", where));
      done(null, chunk);
    },
    flush(done) {
      if (size !== undefined && seen < size) return done(sizeMismatch(digest, size, `${seen}`, where));
      const actual = `${algorithm}:${hash.digest("hex")}`;
      done(actual === digest ? null : new WaybillError(`expected ${digest} but the content is ${actual}`, { where }));
    },
  });
}

function sizeMismatch(digest: Digest, size: number, seen: string, where: string | undefined): WaybillError {
  return new WaybillError(`expected ${size} bytes for ${digest} but got ${seen}`, { where });
}
