// The way to a registry: through the proxy that the environment names, but not to this machine; and not at all once called off.

import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../src/index.ts";
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
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
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
