// The proxy as the tests run it: in front of an API server, trusting an issuer, with credentials of its own.

import { chmod, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Authority, type Identity, freePort } from "@waybill/testing";
import { request } from "./https.ts";
import type { Answer } from "./https.ts";
import { CLIENT } from "./issuer.ts";
import { startProgram } from "./program.ts";
import type { Exit, Running } from "./program.ts";

/** What the proxy shows to the API server: not the user's token. */
export const PROXY_TOKEN = "the-proxys-own-credentials";

const READY_MS = 30_000;
const POLL_MS = 50;

export interface Surroundings {
  authority: Authority;
  issuerUrl: string;
  apiServerUrl: string;
  /** After those every test has; a flag given again wins. */
  flags?: string[];
}

export class Proxy {
  readonly origin: string;
  readonly probePort: number;
  readonly ca: string;
  readonly #program: Running;
  readonly #folder: string;

  private constructor(program: Running, ca: string, ports: Ports, folder: string) {
    this.#program = program;
    this.ca = ca;
    this.origin = `https://127.0.0.1:${ports.serve}`;
    this.probePort = ports.probe;
    this.#folder = folder;
  }

  /** Starts the program; it is ready once `probed("/ready", 200)` resolves. */
  static async start(around: Surroundings): Promise<Proxy> {
    const folder = await mkdtemp(join(tmpdir(), "oidc-proxy-"));
    await writeFiles(folder, around);
    const ports = { serve: await freePort(), probe: await freePort() };
    const args = [...flags(folder, around.issuerUrl, ports), ...(around.flags ?? [])];
    return new Proxy(await startProgram(args, folder), around.authority.cert, ports, folder);
  }

  /** The same, and ready. */
  static async ready(around: Surroundings): Promise<Proxy> {
    const proxy = await Proxy.start(around);
    await proxy.probed("/ready", 200);
    return proxy;
  }

  /** The container's name, empty where the program runs without one. */
  get container(): string {
    return this.#program.container;
  }

  get log(): string {
    return this.#program.log;
  }

  /** A GET through the proxy, as kubectl would send it. */
  get(path: string, token?: string, headers: Record<string, string | string[]> = {}): Promise<Answer> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return request(this.ca, `${this.origin}${path}`, { headers: { ...authorization, ...headers } });
  }

  /** The status of /ready or /live on the probe's port, 0 while nothing listens there. */
  async probe(path: "/ready" | "/live", address = "127.0.0.1"): Promise<number> {
    try {
      return (await fetch(`http://${address}:${this.probePort}${path}`)).status;
    } catch {
      return 0;
    }
  }

  async probed(path: "/ready" | "/live", status: number): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while ((await this.probe(path)) !== status) {
      const { ended } = this.#program;
      if (ended !== undefined) throw new Error(`the proxy ended (${ended.exitCode}): ${this.log}`);
      if (Date.now() > deadline) throw new Error(`${path} did not answer ${status}: ${this.log}`);
      await wait(POLL_MS);
    }
  }

  /** Puts another certificate where the proxy reads its own, as a Secret's volume does. */
  async replaceCertificate(identity: Identity): Promise<void> {
    await replace(join(this.#folder, "tls.key"), identity.key);
    await replace(join(this.#folder, "tls.pem"), identity.cert);
  }

  /** Asks it to end; the answer is how it did. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    const exit = this.#program.ended ?? (await this.#program.stop(signal));
    await rm(this.#folder, { recursive: true, force: true });
    return exit;
  }
}

interface Ports {
  serve: number;
  probe: number;
}

async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o644 });
  await rename(`${file}.new`, file);
}

/** Readable for everybody, the image's user 65532 among them: all of it is thrown away with the test. */
async function writeFiles(folder: string, { authority, apiServerUrl }: Surroundings): Promise<void> {
  const { cert, key } = await authority.issue("oidc-proxy");
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "proxy" } }],
    clusters: [{ name: "test", cluster: { server: apiServerUrl, "certificate-authority": join(folder, "ca.pem") } }],
    users: [{ name: "proxy", user: { token: PROXY_TOKEN } }],
  };
  await chmod(folder, 0o755);
  await replace(join(folder, "ca.pem"), authority.cert);
  await replace(join(folder, "tls.pem"), cert);
  await replace(join(folder, "tls.key"), key);
  await replace(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
}

function flags(folder: string, issuerUrl: string, ports: Ports): string[] {
  return [
    "--bind-address=127.0.0.1",
    `--secure-port=${ports.serve}`,
    `--readiness-probe-port=${ports.probe}`,
    `--tls-cert-file=${join(folder, "tls.pem")}`,
    `--tls-private-key-file=${join(folder, "tls.key")}`,
    `--kubeconfig=${join(folder, "kubeconfig")}`,
    `--oidc-issuer-url=${issuerUrl}`,
    `--oidc-ca-file=${join(folder, "ca.pem")}`,
    `--oidc-client-id=${CLIENT}`,
    "--oidc-username-claim=sub",
    "--oidc-username-prefix=oidc:",
    "--oidc-groups-claim=groups",
    "--oidc-groups-prefix=oidc:",
  ];
}
