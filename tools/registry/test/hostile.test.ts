// Input that means harm: raw requests, as no client would send them.

import { connect } from "node:net";
import { readdir } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { startTestRegistry } from "./harness.ts";
import type { TestRegistry } from "./harness.ts";
import {
  ask,
  blobOf,
  imageOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pullImage,
  pushBlob,
  pushImage,
  pushManifest,
} from "./image.ts";

/** Sends bytes as they are, and gives the status that comes back (0: none came). */
async function raw({ host }: Pick<TestRegistry, "host">, text: string): Promise<number> {
  const socket = connect(Number(host.split(":")[1]), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part) => (answer += String(part)));
  socket.on("error", () => {});
  socket.write(text);
  await expect.poll(() => answer.includes("\r\n\r\n") || socket.destroyed, { timeout: 30_000 }).toBe(true);
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
}

const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;

describe("paths out of the store", () => {
  it.each([
    "/v2/../../../etc/passwd/manifests/latest",
    "/v2/..%2f..%2fetc/manifests/latest",
    "/v2/%2e%2e/%2e%2e/manifests/latest",
    "/v2/a/manifests/..%2f..%2f..%2fconfig.json",
    "/v2/a/manifests/../../config.json",
    "/v2/a/blobs/sha256:..%2f..%2fconfig.json",
    `/v2/a/blobs/sha256:${"../".repeat(21)}x`,
    "/v2/a/blobs/uploads/..%2f..",
    "/v2/a/blobs/uploads/%00",
    "/v2/a/manifests/%00",
    "/v2/a/manifests/%ff%fe",
    "/v2/a%5c..%5cb/manifests/latest",
    "/v2/a/manifests/latest?ns=../../etc",
    "/v2/a/manifests/latest?ns=%00",
    "//etc/passwd",
    "http://[::1/",
    "*",
  ])("%s leads nowhere", async (path) => {
    const registry = await startTestRegistry();
    expect([400, 404]).toContain(await raw(registry, get(path)));
    expect((await ask(registry.url, "/v2/")).status).toBe(200);
  });

  it("in the mount and digest parameters neither", async () => {
    const registry = await startTestRegistry();
    for (const query of ["mount=../../x&from=a", `mount=${blobOf("x").digest}&from=../../etc`, "digest=sha256:../../x"])
      expect([202, 400]).toContain(
        (await ask(registry.url, `/v2/a/blobs/uploads/?${query}`, { method: "POST" })).status,
      );
    expect((await readdir(registry.folder)).sort()).toEqual(
      ["blobs", "control.sock", "incoming", "oci-layout", "server.json", "uploads"].sort(),
    );
  });
});

describe("HTTP that isn't", () => {
  it.each([
    ["garbage", "\x16\x03\x01\x02\x00\x01\r\n\r\n", 400],
    [
      "two lengths",
      "PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      400,
    ],
    [
      "a length and chunks",
      "PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["a header of 100 KB", get("/v2/", `X: ${"x".repeat(100_000)}\r\n`), 431],
    ["a method of its own", "PROPFIND /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\n\r\n", 405],
    ["no host", "GET /v2/ HTTP/1.1\r\n\r\n", 400],
  ])("%s is refused", async (_what, text, status) => {
    expect(await raw(await startTestRegistry(), text)).toBe(status);
  });

  it.each([
    ["a manifest that is too large", "PUT /v2/a/manifests/x", "Content-Length: 8000000", 413],
    ["one that comes in chunks", "PUT /v2/a/manifests/x", "Transfer-Encoding: chunked", 413],
    ["a part out of order", "PATCH /v2/a/blobs/uploads/x", "Content-Length: 8000000", 404],
  ])(
    "%s is refused while its sender is still sending, who reads the answer later",
    async (_what, line, length, status) => {
      const { host, url } = await startTestRegistry();
      const socket = connect(Number(host.split(":")[1]), "127.0.0.1");
      onTestFinished(() => void socket.destroy());
      let [answer, failed] = ["", ""];
      socket.on("error", ({ message }) => (failed = message));
      socket.write(`${line} HTTP/1.1\r\nHost: x\r\n${length}\r\n\r\n`);
      const chunk = Buffer.from(
        length.includes("chunked") ? `F4240\r\n${"x".repeat(1_000_000)}\r\n` : "x".repeat(1_000_000),
      );
      for (let i = 0; i < 8; i++) {
        await new Promise((resolve) => socket.write(chunk, resolve));
        // Others are served meanwhile, so that what is to come has come.
        await ask(url, "/v2/");
      }
      if (length.includes("chunked")) socket.write("0\r\n\r\n");
      socket.setEncoding("utf8").on("data", (part) => (answer += String(part)));
      await expect.poll(() => answer, { timeout: 30_000 }).toContain('"errors"');
      expect([answer.split(" ")[1], failed]).toEqual([String(status), ""]);
      answer = "";
      socket.write(get("/v2/"));
      await expect.poll(() => answer, { timeout: 30_000 }).toContain("200 OK");
    },
  );

  it("ends a connection on which a body that nobody wants has no end", async () => {
    const { host } = await startTestRegistry();
    const socket = connect(Number(host.split(":")[1]), "127.0.0.1");
    let open = true;
    socket.on("error", () => {}).on("close", () => (open = false));
    socket.write("PUT /v2/A/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = Buffer.from(`F4240\r\n${"x".repeat(1_000_000)}\r\n`);
    const sendOn = (): void => void (open && socket.write(chunk, () => setImmediate(sendOn)));
    sendOn();
    await expect.poll(() => open, { timeout: 30_000 }).toBe(false);
  });

  it("in the middle of which others are served: clients that send or read slowly hold up nobody", async () => {
    const registry = await startTestRegistry({ idleAfter: "1s" });
    const image = imageOf("a", 2_000_000);
    await pushImage(registry.url, "team/api", image, "1.0");
    const port = Number(registry.host.split(":")[1]);
    const slow = Array.from({ length: 50 }, (_, i) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      // Half a header; half a body; and a whole request whose answer nobody reads.
      if (i % 3 === 0) socket.write("GET /v2/ HTT");
      if (i % 3 === 1) socket.write("PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{");
      if (i % 3 === 2) {
        socket.write(get(`/v2/team/api/blobs/${image.layers[1]?.digest}`));
        socket.pause();
      }
      return socket;
    });
    expect(await pullImage(registry.url, "team/api", "1.0")).toBe(image.manifest.digest);
    // Silence ends a connection, and what it held is free again.
    await expect.poll(() => registry.server.registry.store.vault.leases.held, { timeout: 40_000 }).toBe(0);
    for (const socket of slow) socket.destroy();
  });
});

describe("manifests that mean harm", () => {
  it.each([
    ["nested a million deep", `{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`],
    ["with a prototype", '{"__proto__":{"schemaVersion":2},"mediaType":"x"}'],
    [
      "with a size that is no size",
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [{ mediaType: "a", digest: blobOf("x").digest, size: -1 }],
      }),
    ],
    [
      "with a path for a digest",
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [{ mediaType: "a", digest: "sha256:../../../x", size: 1 }],
      }),
    ],
    ["that are a number", "1e999"],
    ["of no UTF-8", "\ud800\u0000"],
  ])("%s are refused", async (_what, text) => {
    const { url } = await startTestRegistry();
    const { status, code } = await pushManifest(url, "a", "x", { ...blobOf(text), mediaType: OCI_INDEX });
    expect([status, code]).toEqual([400, "MANIFEST_INVALID"]);
  });

  it("a chain of indexes hundreds deep, and one that names itself in its subject, end no collection", async () => {
    const registry = await startTestRegistry({
      gc: { grace: "0s", rules: [{ repositories: "**", olderThan: "365d" }] },
    });
    let child = imageOf("a").manifest;
    await pushImage(registry.url, "a", imageOf("a"));
    for (let i = 0; i < 300; i++) {
      const descriptor = { mediaType: child.mediaType, digest: child.digest, size: child.bytes.length };
      const bytes = JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_INDEX,
        manifests: [descriptor],
        subject: descriptor,
      });
      child = { ...blobOf(bytes), mediaType: OCI_INDEX };
      expect((await pushManifest(registry.url, "a", child.digest, child)).status).toBe(201);
    }
    await pushManifest(registry.url, "a", "top", child);
    const { removed } = await registry.server.registry.care.collect(false);
    expect(removed).toEqual([]);
  });
});

describe("layers that mean harm", () => {
  it("a decompression bomb is bytes like any other: the registry unpacks nothing", async () => {
    const registry = await startTestRegistry();
    const bomb = blobOf(gzipSync(Buffer.alloc(200_000_000), { level: 9 }));
    const before = process.memoryUsage().rss;
    expect(await pushBlob(registry.url, "a", bomb)).toBe(201);
    const config = blobOf("{}");
    await pushBlob(registry.url, "a", config);
    const layer = {
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest: bomb.digest,
      size: bomb.bytes.length,
    };
    const content = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { ...layer, mediaType: "application/vnd.oci.empty.v1+json", digest: config.digest, size: 2 },
      layers: [layer],
    };
    expect(
      (await pushManifest(registry.url, "a", "x", { ...blobOf(JSON.stringify(content)), mediaType: OCI_MANIFEST }))
        .status,
    ).toBe(201);
    await registry.server.registry.care.scrub();
    await registry.server.registry.care.collect(false);
    expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
  });
});

describe("a page of another site, in a browser on this machine,", () => {
  it("can't push", async () => {
    const { url } = await startTestRegistry();
    const headers = { origin: "https://evil.example" };
    expect((await ask(url, "/v2/a/blobs/uploads/", { method: "POST", headers })).status).toBe(403);
  });
});
