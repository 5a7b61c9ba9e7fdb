// The way to a registry: through the proxy that the environment names, but not to this machine; and not at all once called off.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { digestOf, run } from "../src/index.ts";
import { RegistryClient, anonymous } from "../src/registry/index.ts";

let server: Server;
let host: string;
const asked: string[] = [];

/** A proxy and a registry in one: both answer, and note what they were asked. */
beforeAll(async () => {
  server = createServer(({ url = "" }, response) => {
    asked.push(url);
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${portOf(server)}`;
});
afterAll(() => server.close());

/** Node reads the variables once, as it starts. */
async function ping(registry: string): Promise<void> {
  const program = `import { RegistryClient, anonymous } from "@waybill/oci/registry";
    await new RegistryClient("${registry}", { plainHttp: true, credentials: anonymous }).ping();`;
  const proxy = `http://${host}`;
  const env = { http_proxy: proxy, HTTP_PROXY: proxy, no_proxy: "", NO_PROXY: "" };
  const args = ["--input-type=module", "--eval", program];
  await run(process.execPath, args, { cwd: import.meta.dirname, env, check: true });
}

describe("a long body that comes through a tunnel of the proxy", { timeout: 60_000 }, () => {
  it("comes whole: it can't be read straight from the socket", async () => {
    const folder = await mkdtemp(join(tmpdir(), "waybill-tunnel-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=registry.test", "-addext", "subjectAltName=DNS:registry.test"];
    const made = ["-newkey", "rsa:2048", "-nodes", "-days", "1", "-keyout", key, "-out", cert];
    await run("openssl", ["req", "-x509", ...made, ...subject], { check: true });
    const bytes = randomBytes(5_000_000);
    const registry = createHttpsServer({ key: await readFile(key), cert: await readFile(cert) }, (_asked, response) =>
      response.writeHead(200, { "content-length": bytes.length }).end(bytes),
    );
    // A name that only the proxy can look up.
    const tunnels: (string | undefined)[] = [];
    const proxy = createServer().on("connect", ({ url }: IncomingMessage, client: Duplex) => {
      tunnels.push(url);
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      const onward = connect(portOf(registry), "127.0.0.1");
      for (const end of [client, onward]) end.on("error", () => [client, onward].forEach((each) => each.destroy()));
      onward.pipe(client).pipe(onward);
    });
    for (const each of [registry, proxy]) {
      await once(each.listen(0, "127.0.0.1"), "listening");
      onTestFinished(() => void each.close());
    }
    const program = `import { RegistryClient, anonymous } from "@waybill/oci/registry";
      import { createHash } from "node:crypto";
      const { body } = await new RegistryClient("registry.test", { credentials: anonymous }).blobs.open("a/b", "${digestOf(bytes)}");
      const hash = createHash("sha256");
      for await (const { bytes, release } of body) hash.update(bytes), release?.();
      process.stdout.write("sha256:" + hash.digest("hex"), () => process.exit());`;
    const there = `http://127.0.0.1:${portOf(proxy)}`;
    const env = { https_proxy: there, HTTPS_PROXY: there, no_proxy: "", NO_PROXY: "", NODE_EXTRA_CA_CERTS: cert };
    const args = ["--input-type=module", "--eval", program];
    const { stdout } = await run(process.execPath, args, { cwd: import.meta.dirname, env, check: true });
    expect([stdout, tunnels]).toEqual([digestOf(bytes), ["registry.test:443"]]);
  });
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

describe("a request to a registry", { timeout: 60_000 }, () => {
  it("goes through the environment's proxy", async () => {
    asked.length = 0;
    await ping("registry.example.com");
    expect(asked).toEqual(["http://registry.example.com/v2/"]);
  });

  it("goes to this machine by itself", async () => {
    asked.length = 0;
    await ping(host);
    expect(asked).toEqual(["/v2/"]);
  });

  it("isn't begun once it is called off", async () => {
    asked.length = 0;
    const signal = AbortSignal.abort(new Error("called off"));
    const client = new RegistryClient(host, { signal, credentials: anonymous });
    await expect(client.ping()).rejects.toThrow("called off");
    expect(asked).toEqual([]);
  });
});
