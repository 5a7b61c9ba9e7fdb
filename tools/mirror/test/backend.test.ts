// Another registry as the mirror. Debian's docker-registry and, where they can be had, zot and an S3 server run on the files that are
// written for them; Harbor's script runs against its API's answers.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { findMirror, locate, readMirror, setUpBackend } from "@waybill/mirror/backend";
import { CLIENTS } from "@waybill/mirror/clients";
import { type Digest, parseReference, run } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { freePort, startRegistry, until } from "@waybill/testing";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../registry/test/harness.ts";
import { pushBlob, randomBlob } from "../../registry/test/image.ts";
import { startDaemon } from "./support/daemon.ts";
import { startDistribution } from "./support/distribution.ts";
import { pushImage } from "./support/world.ts";

const LIMIT_MS = 120_000;

/** What a mirror answers for a reference. @returns the manifest's digest */
async function ask(folder: string, text: string): Promise<string | undefined> {
  const mirror = await findMirror(folder);
  const found = mirror && locate(mirror, parseReference(text));
  if (found === undefined) return undefined;
  const client = new RegistryClient(found.registry, { plainHttp: found.plainHttp });
  return (await client.headManifest(found.repository, found.tag ?? ""))?.digest;
}

/** Distribution, set up in this folder and started. */
async function mirrors(folder: string, storage: string): Promise<void> {
  const upstream = await startRegistry();
  onTestFinished(() => upstream.stop());
  await pushImage(folder, `${upstream.host}/team/api:1.0`);
  const [own, proxy] = [await freePort(), await freePort()];
  const settings = {
    backend: "distribution",
    url: `http://127.0.0.1:${own}`,
    storage,
    upstreams: { "example.com": { url: `http://${upstream.host}`, at: `http://127.0.0.1:${proxy}` } },
  };
  await writeFile(join(folder, "backend.json"), JSON.stringify(settings));
  const { files } = await setUpBackend(folder, { backend: "distribution", url: undefined, storage: undefined });
  expect(await findMirror(folder)).toBeUndefined();
  await startDistribution(files, { own, "example.com": proxy });
  const there = (await new RegistryClient(upstream.host).headManifest("team/api", "1.0"))?.digest;
  expect(await ask(folder, "example.com/team/api:1.0")).toBe(there);
  expect(await ask(folder, "example.com/team/none:1.0")).toBeUndefined();
  expect(await ask(folder, "other.com/team/api:1.0")).toBeUndefined();
  await pull(`127.0.0.1:${proxy}/team/api:1.0`, join(folder, "through"));
  await pushImage(folder, `127.0.0.1:${own}/mine/api:1.0`);
  expect(await ask(folder, `localhost:${own}/mine/api:1.0`)).toBeDefined();
  await pull(`127.0.0.1:${own}/mine/api:1.0`, join(folder, "pushed"));
}

/** Its blobs too, which come from where a registry has put them. */
async function pull(reference: string, to: string): Promise<void> {
  const args = ["copy", "--src-tls-verify=false", `docker://${reference}`, `dir:${to}`];
  await run("skopeo", args, { check: true, timeoutMs: 60_000 });
}

describe("Distribution", { timeout: LIMIT_MS }, () => {
  it("is the mirror on the files that were written for it: pulls through, takes pushes, is detected", async () => {
    const folder = await temporaryFolder();
    await mirrors(folder, join(folder, "storage"));
  });

  it("does so with its blobs in S3", async ({ skip }) => {
    // s3://bucket/path?region=…&endpoint=…, with its keys where AWS's clients look for them.
    const given = process.env["WAYBILL_TEST_S3"];
    if (given === undefined) console.warn("SKIPPED: WAYBILL_TEST_S3 names no bucket (docs/mirror-backends.md)");
    skip(given === undefined, "needs a bucket");
    const storage = new URL(given ?? "");
    storage.pathname += `/${randomUUID()}`;
    await mirrors(await temporaryFolder(), storage.href);
  });

  it("has a process for each upstream, whose stores don't mix, in a folder or in S3", async () => {
    const folder = await temporaryFolder();
    const choice = { backend: "distribution", url: "http://10.0.0.5:5000" } as const;
    const storage = "s3://images/mirror?region=eu-central-1&endpoint=http://10.0.0.6:9000";
    const { backend, files } = await setUpBackend(folder, { ...choice, storage });
    expect(backend.placeOf("docker.io")).toEqual({ registry: "10.0.0.5:5001", plainHttp: true, prefix: "" });
    expect(backend.placeOf("gcr.io")?.registry).toBe("10.0.0.5:5002");
    const text = await readFile(join(files, "gcr.io.yml"), "utf8");
    for (const line of [
      'addr: "10.0.0.5:5002"',
      'remoteurl: "https://gcr.io"',
      'bucket: "images"',
      'region: "eu-central-1"',
    ])
      expect(text).toContain(line);
    expect(text).toContain('rootdirectory: "/mirror/gcr.io"');
    expect(text).toContain('regionendpoint: "http://10.0.0.6:9000"');
    expect(text).toContain("forcepathstyle: true");
    expect(text).not.toContain("redirect:");
    await setUpBackend(folder, { ...choice, storage: `${storage}&redirect=off` });
    expect(await readFile(join(files, "gcr.io.yml"), "utf8")).toContain("redirect:\n    disable: true");
    expect(await readFile(join(files, "own.yml"), "utf8")).not.toContain("proxy:");
    await expect(setUpBackend(folder, { ...choice, storage: "s3://images" })).rejects.toThrow(
      /is no place to store in/,
    );
    expect((await readMirror(folder))?.placeOf("gcr.io")?.registry).toBe("10.0.0.5:5002");
  });
});

describe("zot", { timeout: LIMIT_MS }, () => {
  it("is the mirror on the file that was written for it, and keeps what has no tag", async ({ skip }) => {
    const version = await run("zot", ["--version"], { timeoutMs: 30_000 }).catch(() => undefined);
    const there = version?.exitCode === 0;
    if (!there)
      console.warn("SKIPPED: no zot here (build it from github.com/project-zot/zot, with its extension sync)");
    skip(!there, "needs zot");
    const folder = await temporaryFolder();
    const upstream = await startRegistry();
    onTestFinished(() => upstream.stop());
    await pushImage(folder, `${upstream.host}/team/api:1.0`);
    const docker = ["copy", "--format", "v2s2", "--dest-tls-verify=false", `oci:${join(folder, "layout")}:latest`];
    await run("skopeo", [...docker, `docker://${upstream.host}/team/docker:1.0`], { check: true, timeoutMs: 60_000 });
    const host = `127.0.0.1:${await freePort()}`;
    const settings = {
      backend: "zot",
      url: `http://${host}`,
      storage: join(folder, "storage"),
      upstreams: {
        "down.com": { url: `http://127.0.0.1:${await freePort()}` },
        "example.com": { url: `http://${upstream.host}` },
      },
    };
    await writeFile(join(folder, "backend.json"), JSON.stringify(settings));
    const { files } = await setUpBackend(folder, { backend: "zot", url: undefined, storage: undefined });
    const file = join(files, "config.json");
    await run("zot", ["verify", file], { check: true });
    // Its GC comes at once and not in an hour.
    const config = JSON.parse(await readFile(file, "utf8")) as { storage: object };
    Object.assign(config.storage, { gcDelay: "1s", gcInterval: "1s" });
    await writeFile(file, JSON.stringify(config));
    await startDaemon("zot", ["serve", file], async () => (await findMirror(folder)) !== undefined);
    const from = new RegistryClient(upstream.host);
    const api = (await from.headManifest("team/api", "1.0"))?.digest;
    expect(await ask(folder, "example.com/team/api:1.0")).toBe(api);
    expect(await ask(folder, "example.com/team/none:1.0")).toBeUndefined();
    expect(await ask(folder, "down.com/team/api:1.0")).toBeUndefined();
    await pushImage(folder, `${host}/mine/api:1.0`);
    expect(await ask(folder, `${host}/mine/api:1.0`)).toBeDefined();
    const pinned = (await from.headManifest("team/docker", "1.0"))?.digest;
    await pull(`${host}/example.com/team/docker@${pinned}`, join(folder, "through"));
    const orphan = randomBlob(1000);
    const type = { "content-type": "application/octet-stream" };
    expect(await pushBlob(`http://${host}`, "example.com/team/docker", orphan, type)).toBe(201);
    await upstream.stop();
    const here = new RegistryClient(host);
    const has = async (digest: string): Promise<boolean> =>
      await here.blobs.has("example.com/team/docker", digest as Digest);
    await until("zot's GC", async () => !(await has(orphan.digest)));
    await pull(`${host}/example.com/team/docker@${pinned}`, join(folder, "held"));
  });

  it("syncs each upstream on demand below its host", async () => {
    const folder = await temporaryFolder();
    const { backend, files } = await setUpBackend(folder, {
      backend: "zot",
      url: "https://zot.internal:8443",
      storage: "/data",
    });
    const config = JSON.parse(await readFile(join(files, "config.json"), "utf8")) as {
      http: object;
      storage: object;
      extensions: { sync: { registries: object[] } };
    };
    expect([config.http, config.storage]).toMatchObject([
      // A minute a request is its default, and an image may take longer.
      { address: "0.0.0.0", port: "8443", readTimeout: "3h", writeTimeout: "3h" },
      { rootDirectory: "/data" },
    ]);
    expect(config.extensions.sync.registries).toContainEqual(
      expect.objectContaining({
        urls: ["https://ghcr.io"],
        onDemand: true,
        preserveDigest: true,
        content: [{ prefix: "**", destination: "/ghcr.io" }],
      }),
    );
    const elsewhere = { backend: "zot", url: undefined, storage: "s3://images?region=eu-central-1" } as const;
    await expect(setUpBackend(folder, elsewhere)).rejects.toThrow(/no place for zot to store in.*: write a folder/);
    expect(locate(backend, parseReference("ghcr.io/acme/api:1.0"))).toEqual({
      registry: "zot.internal:8443",
      repository: "ghcr.io/acme/api",
      tag: "1.0",
      plainHttp: false,
    });
  });

  it("is asked by clients below the upstream's host", async () => {
    const { backend } = await setUpBackend(await temporaryFolder(), {
      backend: "zot",
      url: "http://zot.internal:5000",
      storage: undefined,
    });
    const of = (name: string, path: string): string => CLIENTS[name]?.(backend).files[path] ?? "";
    expect(of("containerd", "etc/containerd/certs.d/ghcr.io/hosts.toml")).toContain(
      '[host."http://zot.internal:5000/v2/ghcr.io"]\n  capabilities = ["pull", "resolve"]\n  override_path = true',
    );
    expect(of("buildkit", "etc/buildkit/buildkitd.toml")).toContain('mirrors = ["zot.internal:5000/ghcr.io"]');
    // Docker can't ask below a path, and says http only where it is told.
    expect(JSON.parse(of("docker", "etc/docker/daemon.json"))).toEqual({
      "insecure-registries": ["zot.internal:5000"],
    });
  });
});

describe("where they listen", () => {
  const listens = async (url: string): Promise<unknown> => {
    const { files } = await setUpBackend(await temporaryFolder(), { backend: "zot", url, storage: undefined });
    const { http } = JSON.parse(await readFile(join(files, "config.json"), "utf8")) as { http: Record<string, string> };
    return `${http["address"]}:${http["port"]}`;
  };

  it("is the address that they answer at, where the URL says one", async () => {
    expect(await listens("http://127.0.0.1:5000")).toBe("127.0.0.1:5000");
    expect(await listens("http://localhost:5000")).toBe("localhost:5000");
    expect(await listens("http://[::1]:5000")).toBe("[::1]:5000");
    expect(await listens("http://10.0.0.5")).toBe("10.0.0.5:80");
  });

  it("is every address, where it says a name or somebody else ends TLS", async () => {
    expect(await listens("http://zot.internal:5000")).toBe("0.0.0.0:5000");
    expect(await listens("https://10.0.0.5")).toBe("0.0.0.0:5000");
  });
});

describe("Harbor", { timeout: LIMIT_MS }, () => {
  it("gets a proxy-cache project for each upstream by the script, as often as it runs", async () => {
    const harbor = await startHarbor();
    const folder = await temporaryFolder();
    const { files } = await setUpBackend(folder, { backend: "harbor", url: harbor.url, storage: undefined });
    await writeFile(join(folder, ".netrc"), "machine 127.0.0.1 login admin password Harbor12345\n", { mode: 0o600 });
    for (let i = 0; i < 2; i += 1) {
      const { exitCode, stderr } = await run("sh", [join(files, "projects.sh")], { env: { HOME: folder } });
      expect([exitCode, stderr]).toEqual([0, ""]);
    }
    expect(harbor.projects.size).toBe(7);
    const id = harbor.registries.get("ghcr.io")?.["id"];
    expect(harbor.registries.get("ghcr.io")).toMatchObject({ type: "github-ghcr", url: "https://ghcr.io" });
    expect(harbor.projects.get("ghcr.io")).toEqual({
      project_name: "ghcr.io",
      registry_id: id,
      metadata: { public: "true" },
    });
    expect(harbor.registries.get("docker.io")).toMatchObject({ type: "docker-hub", url: "https://hub.docker.com" });
  });

  it("is told what it refused", async () => {
    const harbor = await startHarbor();
    const folder = await temporaryFolder();
    const { files } = await setUpBackend(folder, { backend: "harbor", url: harbor.url, storage: undefined });
    const { exitCode, stderr } = await run("sh", [join(files, "projects.sh")], { env: { HOME: folder } });
    expect([exitCode, stderr.trim()]).toEqual([1, `POST ${harbor.url}/api/v2.0/registries answered 401`]);
  });
});

/** As much of Harbor's API v2.0 as makes projects (its swagger.yaml). */
async function startHarbor(): Promise<{
  url: string;
  registries: Map<string, Record<string, unknown>>;
  projects: Map<string, unknown>;
}> {
  const registries = new Map<string, Record<string, unknown>>();
  const projects = new Map<string, unknown>();
  const wanted = `Basic ${Buffer.from("admin:Harbor12345").toString("base64")}`;
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://harbor");
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    if (request.headers.authorization !== wanted) return void response.writeHead(401).end("{}");
    if (request.method === "GET") {
      const found = registries.get(url.searchParams.get("q")?.replace("name=", "") ?? "");
      return void response.end(JSON.stringify(found === undefined ? [] : [found]));
    }
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    const ofRegistry = url.pathname.endsWith("/registries");
    const [kept, key] = ofRegistry ? [registries, String(body["name"])] : [projects, String(body["project_name"])];
    if (kept.has(key)) return void response.writeHead(409).end("{}");
    kept.set(key, ofRegistry ? { id: registries.size + 1, ...body } : body);
    response.writeHead(201).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, registries, projects };
}
