// Signs entries (Ed25519), for caches whose registry can't keep untrusted writers out. What is signed is the hash of the task
// together with the digest of its result: a good entry copied under another task's hash is not one.

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { canonicalJson } from "@waybill/oci/canonical";
import type { Digest } from "@waybill/oci/digest";
import { WaybillError, messageOf } from "@waybill/oci/error";

export interface Claim {
  /** Nx's hash of the task. */
  hash: string;
  /** Of the entry's tarball. */
  digest: Digest;
}

type Environment = Record<string, string | undefined>;

const KIND = "waybill cache entry v1";
const message = ({ hash, digest }: Claim): Buffer => Buffer.from(canonicalJson({ kind: KIND, hash, digest }));

/** A private key as PEM, and the line for `remoteCacheKeys` of nx.json that goes with it. */
export function newKeyPair(): { privateKey: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}

/**
 * The key this run signs with: WAYBILL_CACHE_KEY has the PEM itself, WAYBILL_CACHE_KEY_FILE its file.
 * @throws {WaybillError} it can't be read, or is no Ed25519 key; the key's text is never shown
 */
export function signingKey(env: Environment = process.env): KeyObject | undefined {
  const file = env["WAYBILL_CACHE_KEY_FILE"];
  const text = env["WAYBILL_CACHE_KEY"] || (file ? readKey(file) : undefined);
  if (!text) return undefined;
  const where = env["WAYBILL_CACHE_KEY"] ? "WAYBILL_CACHE_KEY" : file;
  return ed25519(() => createPrivateKey(text), where);
}

/** @param text base64 of a SubjectPublicKeyInfo, or PEM */
export function publicKey(text: string): KeyObject {
  return ed25519(() => {
    if (text.includes("-----BEGIN")) return createPublicKey(text);
    return createPublicKey({ key: Buffer.from(text, "base64"), type: "spki", format: "der" });
  }, "remoteCacheKeys of nx.json");
}

export function signClaim(claim: Claim, key: KeyObject): string {
  return sign(null, message(claim), key).toString("base64");
}

/** Whether any of the keys has signed the claim. */
export function isSigned(claim: Claim, signature: string | undefined, keys: readonly KeyObject[]): boolean {
  if (signature === undefined) return false;
  return keys.some((key) => verify(null, message(claim), key, Buffer.from(signature, "base64")));
}

function readKey(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new WaybillError(`the signing key can't be read (${messageOf(cause)})`, { where: file, cause });
  }
}

function ed25519(make: () => KeyObject, where: string | undefined): KeyObject {
  const mend = "`npx waybill cache key FILE` makes a pair";
  try {
    const key = make();
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch {
    // What OpenSSL says of a key that is none helps nobody.
  }
  throw new WaybillError("not an Ed25519 key", { where, mend });
}
