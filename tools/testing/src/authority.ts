// A throw-away certificate authority for one test run: node:crypto reads certificates but can't make them, @peculiar/x509 can.

import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOUR_MS = 3_600_000;

/** A certificate and its key, both PEM. */
export interface Identity {
  cert: string;
  key: string;
}

export interface IdentityNeeds {
  /** DNS names and IP addresses it answers for. Default 127.0.0.1 and localhost. */
  hosts?: readonly string[];
  /** The subject's organisation, which Kubernetes takes for a group. */
  organisation?: string;
  /** For logging in with, too. Default false: for servers only. */
  client?: boolean;
}

export class Authority {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: x509.X509Certificate;

  private constructor(keys: webcrypto.CryptoKeyPair, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(): Promise<Authority> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity(),
      name: "CN=Waybill test authority",
      keys,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ],
    });
    return new Authority(keys, certificate);
  }

  /** The authority's own certificate, PEM. */
  get cert(): string {
    return this.#certificate.toString("pem");
  }

  /** The authority's own key, PEM: for who signs in its name. */
  key(): Promise<string> {
    return pemOf(this.#keys.privateKey);
  }

  /** A certificate good for an hour. @param name the subject's common name, which Kubernetes takes for a user */
  async issue(name: string, needs: IdentityNeeds = {}): Promise<Identity> {
    const { hosts = ["127.0.0.1", "localhost"], organisation, client = false } = needs;
    const keys = await newKeys();
    const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject: new x509.Name([
        ...(organisation === undefined ? [] : [{ O: [organisation] }]),
        { CN: [name] },
      ]).toString(),
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          hosts.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
        ),
        new x509.ExtendedKeyUsageExtension(client ? [serverAuth, clientAuth] : [serverAuth]),
      ],
    });
    return { cert: certificate.toString("pem"), key: await pemOf(keys.privateKey) };
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

function validity(): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + HOUR_MS) };
}
