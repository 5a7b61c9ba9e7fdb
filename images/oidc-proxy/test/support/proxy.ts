// kube-oidc-proxy as the tests run it: in front of an API server, trusting an issuer, with credentials of its own.
// Takes the program from KUBE_OIDC_PROXY (a path on this machine) until there is an image to take it from; see README.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Authority } from "./authority.ts";
import { request } from "./https.ts";
import type { Answer } from "./https.ts";
import { CLIENT } from "./issuer.ts";

export const PROGRAM = process.env["KUBE_OIDC_PROXY"];

/** What the proxy shows to the API server: not the user's token. */
export const PROXY_TOKEN = "the-proxys-own-credentials";

const READY_MS = 30_000;
const POLL_MS = 50;

export interface Surroundings {
  authority: Authority;
  issuerUrl: string;
  apiServerUrl: string;
}

export class Proxy {
  readonly #child: ChildProcess;
  readonly #ca: string;
  readonly #port: number;
  readonly #probePort: number;
  readonly #folder: string;
  #log = "";

  private constructor(child: ChildProcess, ca: string, ports: { serve: number; probe: number }, folder: string) {
    this.#child = child;
    this.#ca = ca;
    this.#port = ports.serve;
    this.#probePort = ports.probe;
    this.#folder = folder;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (chunk: string) => (this.#log += chunk));
    }
  }

  /** Starts the program; it is ready once `ready()` resolves. */
  static async start(around: Surroundings): Promise<Proxy> {
    if (PROGRAM === undefined) throw new Error("KUBE_OIDC_PROXY names no program");
    const folder = await mkdtemp(join(tmpdir(), "oidc-proxy-"));
    await writeFiles(folder, around);
    const ports = { serve: await freePort(), probe: await freePort() };
    const child = spawn(PROGRAM, flags(folder, around.issuerUrl, ports), { stdio: ["ignore", "pipe", "pipe"] });
    return new Proxy(child, around.authority.cert, ports, folder);
  }

  get log(): string {
    return this.#log;
  }

  /** A GET through the proxy, as kubectl would send it. */
  get(path: string, token?: string, headers: Record<string, string> = {}): Promise<Answer> {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return request(this.#ca, `https://127.0.0.1:${this.#port}${path}`, { headers: { ...authorization, ...headers } });
  }

  /** The status of /ready or /live on the probe's port, 0 while nothing listens there. */
  async probe(path: "/ready" | "/live"): Promise<number> {
    try {
      return (await fetch(`http://127.0.0.1:${this.#probePort}${path}`)).status;
    } catch {
      return 0;
    }
  }

  async probed(path: "/ready" | "/live", status: number): Promise<void> {
    const deadline = Date.now() + READY_MS;
    while ((await this.probe(path)) !== status) {
      if (this.#child.exitCode !== null) throw new Error(`the proxy ended (${this.#child.exitCode}): ${this.#log}`);
      if (Date.now() > deadline) throw new Error(`${path} did not answer ${status}: ${this.#log}`);
      await wait(POLL_MS);
    }
  }

  /** Asks it to end; the answer is how it did. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill(signal);
      await ended;
    }
    await rm(this.#folder, { recursive: true, force: true });
    return { exitCode: this.#child.exitCode, signal: this.#child.signalCode };
  }
}

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
  await writeFile(join(folder, "ca.pem"), authority.cert);
  await writeFile(join(folder, "tls.pem"), cert);
  await writeFile(join(folder, "tls.key"), key);
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
}

function flags(folder: string, issuerUrl: string, ports: { serve: number; probe: number }): string[] {
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

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
