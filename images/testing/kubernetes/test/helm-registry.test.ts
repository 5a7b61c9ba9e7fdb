// Both Helms with Waybill's registry: charts are pushed to it, pulled from it, and through it from another.

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf } from "@waybill/image";
import { run } from "@waybill/oci";
import { type RunningServer, makeConfig, silent, startServer } from "@waybill/registry";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
let upstream: RunningRegistry;
let server: RunningServer;
let host: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "waybill-helm-"));
  upstream = await startRegistry();
  const upstreams = { "example.com": { url: `http://${upstream.host}` } };
  const config = makeConfig({ keepFree: "0B", listen: "127.0.0.1:0", upstreams }, join(folder, "registry"));
  server = await startServer(config, silent);
  ({ host } = new URL(server.url));
  await mkdir(join(folder, "small/templates"), { recursive: true });
  await writeFile(join(folder, "small/Chart.yaml"), "apiVersion: v2\nname: small\nversion: 0.1.0\n");
});

afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await rm(folder, { recursive: true });
});

describe.each([3, 4] as const)("Helm %i", (version) => {
  const helm = async (...args: string[]): Promise<void> => {
    const program = await programOf("kubernetes", `usr/local/bin/helm${version}`);
    const env = { HOME: join(folder, `home-${version}`), XDG_CACHE_HOME: undefined, XDG_CONFIG_HOME: undefined };
    await run(program, args, { cwd: folder, env, check: true });
  };

  /** Pulls it into a folder of its own. @returns what came */
  const pulled = async (reference: string, to: string): Promise<string[]> => {
    const into = join(folder, `${to}-${version}`);
    await mkdir(into);
    await helm("pull", reference, "--version", "0.1.0", "--plain-http", "--destination", into);
    return await readdir(into);
  };

  test("pushes and pulls", { timeout: 60_000 }, async () => {
    await helm("package", "small");
    await helm("push", "small-0.1.0.tgz", `oci://${host}/charts-${version}`, "--plain-http");
    expect(await pulled(`oci://${host}/charts-${version}/small`, "own")).toEqual(["small-0.1.0.tgz"]);
  });

  test("pulls through from Debian's docker-registry", { timeout: 60_000 }, async () => {
    await helm("push", "small-0.1.0.tgz", `oci://${upstream.host}/team-${version}`, "--plain-http");
    expect(await pulled(`oci://${host}/example.com/team-${version}/small`, "through")).toEqual(["small-0.1.0.tgz"]);
  });
});
