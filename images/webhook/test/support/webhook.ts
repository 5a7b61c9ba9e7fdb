// The webhook as a container, with a folder of certificates and rules that a test may change.

import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { Authority, type Container, builtImage, freePort, until } from "@waybill/testing";

export class Webhook {
  readonly port: number;
  readonly authority: Authority;
  readonly container: Container;
  readonly #folder: string;

  private constructor(port: number, authority: Authority, container: Container, folder: string) {
    this.port = port;
    this.authority = authority;
    this.container = container;
    this.#folder = folder;
  }

  /** Starts one and waits until it is healthy. @param images the text of the rules */
  static async start(images = ""): Promise<Webhook> {
    const [image, port, authority] = [await builtImage("webhook"), await freePort(), await Authority.create()];
    const folder = await mkdtemp(join(tmpdir(), "waybill-webhook-"));
    await chmod(folder, 0o755);
    await put(folder, "images.yaml", images);
    const { cert, key } = await authority.issue("webhook");
    await put(folder, "tls.key", key);
    await put(folder, "tls.crt", cert);
    const container = await image.run({
      args: [`--bind-address=127.0.0.1:${port}`, "--cert-dir=/files", "--images=/files/images.yaml"],
      mounts: [{ source: folder, target: "/files", readOnly: true }],
    });
    const webhook = new Webhook(port, authority, container, folder);
    await Promise.race([
      until("a healthy webhook", async () => (await webhook.health().catch(() => undefined))?.status === 200),
      container.exited().then(({ exitCode }) => {
        throw new Error(`the webhook ended with ${exitCode}:\n${container.stderr}`);
      }),
    ]);
    return webhook;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** What the API server is told of it. */
  clientConfig(path: string): { url: string; caBundle: string } {
    return { url: this.url + path, caBundle: Buffer.from(this.authority.cert).toString("base64") };
  }

  /** Replaces a file, as the kubelet does when its Secret or ConfigMap changes. */
  put(file: string, text: string): Promise<void> {
    return put(this.#folder, file, text);
  }

  /** The status of /healthz and the serial number of the certificate, on a connection of its own. */
  health(): Promise<{ status: number; serial: string }> {
    return new Promise((resolve, reject) => {
      get(`${this.url}/healthz`, { ca: this.authority.cert, agent: false }, (response) => {
        const serial = (response.socket as TLSSocket).getPeerCertificate().serialNumber;
        response.resume().on("end", () => resolve({ status: response.statusCode ?? 0, serial }));
      }).on("error", reject);
    });
  }

  async stop(): Promise<{ exitCode: number }> {
    const exit = await this.container.stop();
    await rm(this.#folder, { recursive: true });
    return exit;
  }
}

async function put(folder: string, file: string, text: string): Promise<void> {
  await writeFile(join(folder, file), text, { mode: 0o644 });
}
