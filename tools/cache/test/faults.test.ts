// What registries do on bad days. In each case the cache is a miss, tells it in one line, and costs no more than its patience.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BlobStore, MEDIA_TYPE, digestOf } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "../../testing/src/registry.ts";
import type { Remote } from "../src/index.ts";
import { writeEntry } from "../src/entry.ts";
import { type Fault, body, half, hangUp, none, on, proxyOf, silence, status } from "./support/proxy.ts";
import { type Result, builtResult, lintResult, packed, remoteOf, store } from "./support/results.ts";

const MANIFEST = { "content-type": MEDIA_TYPE.manifest };

let registry: RunningRegistry;
let built: Result;
let bytes: BlobStore;
beforeAll(async () => {
  registry = await startRegistry();
  bytes = new BlobStore(await mkdtemp(join(tmpdir(), "waybill-store-")));
  built = await builtResult(bytes);
  await store(remoteOf(registry.host, bytes), "1", built.tarball);
});
afterAll(async () => {
  await registry.stop();
  await rm(bytes.root, { recursive: true });
});

async function behind(fault: Fault): Promise<Remote> {
  const proxy = await proxyOf(registry.host, fault);
  return remoteOf(proxy.host, bytes);
}

const lines = (remote: Remote): number => (remote.fault === undefined ? 0 : remote.fault.split("\n").length);

describe("a registry that is unwell ends the cache for the run", { timeout: 60_000 }, () => {
  it.each<[string, Fault, RegExp]>([
    ["hangs", silence, /^off for this run: no answer within 2 s, 127\.0\.0\.1:\d+\/team\/nx-cache$/],
    ["hangs up", hangUp, /^off for this run: no answer from the registry/],
    ["answers 401", status(401), /^off for this run: the registry answered 401/],
    ["answers 403", status(403), /^off for this run: the registry answered 403/],
    ["answers 429", status(429, { "retry-after": "3600" }), /^off for this run: the registry answered 429/],
    ["answers 500", status(500), /^off for this run: the registry answered 500/],
    ["answers in HTML", body(Buffer.from("<html>"), { "content-type": "text/html" }), /not valid JSON/],
    ["breaks off", half(Buffer.from("{"), MANIFEST), /^off for this run: /],
    ["asks for a token of nobody", status(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:9/"' }), /^off/],
  ])("that %s", async (_what, fault, told) => {
    const remote = await behind(fault);
    const asked = Array.from({ length: 20 }, (_, hash) => remote.get(String(hash)));
    expect((await Promise.all(asked)).filter((each) => each !== undefined)).toEqual([]);
    expect(remote.fault).toMatch(told);
    expect(lines(remote)).toBe(1);
  });

  it("that is not there", async () => {
    const remote = remoteOf("127.0.0.1:9", bytes);
    expect(await remote.get("1")).toBeUndefined();
    expect(await remote.has(built.record)).toBe(false);
    expect(await remote.fetch(built.record)).toBe(false);
    await store(remote, "1", built.tarball);
    expect(remote.isOff).toBe(true);
    expect(remote.fault).toMatch(/^off for this run: no answer from the registry/);
  });

  it("and is not asked again", async () => {
    const proxy = await proxyOf(registry.host, status(500));
    const remote = remoteOf(proxy.host, bytes);
    await remote.get("1");
    const before = proxy.asked.length;
    proxy.fault = none;
    expect(await remote.get("1")).toBeUndefined();
    expect(await remote.has(built.record)).toBe(false);
    await store(remote, "2", lintResult());
    expect(proxy.asked.length).toBe(before);
  });

  it.each<[string, Fault]>([
    ["hangs", silence],
    ["answers 500", status(500)],
  ])("that %s when it is asked for the image", async (_what, fault) => {
    const remote = await behind(on(/^HEAD .*\/manifests\/sha256:/, fault));
    expect(await remote.get("1")).toBeUndefined();
    expect(remote.isOff).toBe(true);
  });
});

describe("a registry that can't be written to is read on", { timeout: 60_000 }, () => {
  it.each<[string, Fault, RegExp]>([
    ["refuses uploads (401)", on(/^POST/, status(401)), /^nothing is stored in this run: the registry answered 401/],
    ["refuses uploads (403)", on(/^POST/, status(403)), /^nothing is stored in this run: the registry answered 403/],
    ["is full (500)", on(/^PUT .*uploads/, status(500)), /^nothing is stored in this run: the registry answered 500/],
    ["takes no manifests (429)", on(/^PUT .*manifests/, status(429, { "retry-after": "60" })), /answered 429/],
    ["breaks uploads off", on(/^PUT .*uploads/, hangUp), /^nothing is stored in this run: no answer/],
  ])("where it %s", async (what, fault, told) => {
    const remote = await behind(fault);
    const { tarball } = await builtResult(bytes, what.slice(0, 12));
    await store(remote, `9${what.length}`, tarball);
    expect(remote.fault).toMatch(told);
    expect(remote.writable).toBe(false);
    expect(await remote.get("1")).toEqual(built.tarball);
    expect(await remoteOf(registry.host, bytes).get(`9${what.length}`)).toBeUndefined();
  });

  it("but not where it hangs in the middle of an upload", async () => {
    const remote = await behind(on(/^PUT .*uploads/, silence));
    const { tarball } = await builtResult(bytes, "hang");
    await store(remote, "77", tarball);
    expect(remote.fault).toMatch(/^off for this run: no answer within 2 s/);
  });
});

describe("bytes that are not what they should be are never used", { timeout: 60_000 }, () => {
  it("a manifest that was changed on its way", async () => {
    const { headers, bytes: manifest } = await original("1");
    const changed = Buffer.from(manifest.toString("utf8").replace('"data":"', '"data":"AAAA'));
    const remote = await behind(on(/manifests\/nx-1$/, body(changed, headers)));
    expect(await remote.get("1")).toBeUndefined();
    expect(remote.fault).toMatch(/expected manifest sha256/);
  });

  it("a manifest whose embedded bytes are others than its digest says", async () => {
    const { bytes: manifest } = await original("1");
    const other = lintResult().toString("base64");
    const changed = Buffer.from(manifest.toString("utf8").replace(/"data":"H4[^"]*"/, `"data":"${other}"`));
    expect(changed).not.toEqual(manifest);
    const remote = await behind(on(/manifests\/nx-1$/, body(changed, MANIFEST)));
    expect(await remote.get("1")).toBeUndefined();
    expect(remote.fault).toMatch(/^not used: expected sha256:.* but the entry has sha256:/);
    expect(remote.isOff).toBe(false);
  });

  it.each<[string, (blob: Buffer) => Fault]>([
    ["a poisoned blob", (blob) => body(Buffer.alloc(blob.length, "x"))],
    ["half a blob", (blob) => half(blob.subarray(0, blob.length / 2))],
    ["a blob that is gone", () => status(404)],
  ])("%s", async (what, fault) => {
    const tarball = packed({
      path: "large",
      content: Buffer.from(Array.from({ length: 200_000 }, () => Math.random() * 256)),
    });
    const hash = `2${what.length}`;
    await store(remoteOf(registry.host, bytes), hash, tarball);
    expect(await remoteOf(registry.host, bytes).get(hash)).toEqual(tarball);
    const remote = await behind(on(/^GET .*\/blobs\//, fault(tarball)));
    expect(await remote.get(hash)).toBeUndefined();
    expect(lines(remote)).toBe(1);
  });

  it.each<[string, Buffer, RegExp]>([
    ["no archive", Buffer.from("rm -rf /"), /not a gzipped tar/],
    ["an archive cut short", gzipSync(Buffer.alloc(100, "x")), /not a tar of outputs|no exit code/],
    ["a task that failed", packed({ path: "code", content: "\0\0\0\x01" }), /no exit code|failed/],
    ["a path out of the workspace", packed({ path: "../../etc/cron.d/x", content: "x" }), /leads out of the workspace/],
    ["a link out of the workspace", packed({ path: "a/link", symlink: "../../etc" }), /leads out of the workspace/],
    ["a record that is none", packed({ path: "images/api/dist/image.json", content: "{}" }), /image\.json/],
  ])("%s", async (what, tarball, told) => {
    const hash = `3${what.length}`;
    await putRaw(`nx-${hash}`, writeEntry({ hash }, tarball), tarball);
    const remote = remoteOf(registry.host, bytes);
    expect(await remote.get(hash)).toBeUndefined();
    expect(remote.fault).toMatch(told);
    expect(remote.isOff).toBe(false);
    expect(await remote.get("1")).toEqual(built.tarball);
  });

  it("an entry of another task", async () => {
    const { bytes: manifest } = await original("1");
    await putRaw("nx-40", manifest.toString("utf8"), built.tarball);
    const remote = remoteOf(registry.host, bytes);
    expect(await remote.get("40")).toBeUndefined();
    expect(remote.fault).toMatch(/^not used: entry of another task \(1\), /);
  });

  it("an image under the tag of an entry", async () => {
    const client = new RegistryClient(registry.host, { credentials: anonymous });
    const index = await client.getManifest("team/nx-cache", built.record.platforms[0]!.digest);
    await client.putManifest("team/nx-cache", "nx-41", index!.mediaType, index!.bytes);
    const remote = remoteOf(registry.host, bytes);
    expect(await remote.get("41")).toBeUndefined();
    expect(remote.fault).toMatch(/^not used: not an entry of a Waybill cache/);
  });
});

async function original(hash: string): Promise<{ bytes: Buffer; headers: Record<string, string> }> {
  const client = new RegistryClient(registry.host, { credentials: anonymous });
  const found = await client.getManifest("team/nx-cache", `nx-${hash}`);
  return { bytes: found!.bytes, headers: { ...MANIFEST, "docker-content-digest": found!.digest } };
}

async function putRaw(tag: string, manifest: string, tarball: Buffer): Promise<void> {
  const client = new RegistryClient(registry.host, { credentials: anonymous });
  for (const blob of [Buffer.from("{}"), tarball]) {
    const source = { digest: digestOf(blob), size: blob.length, open: () => Readable.from([blob]) };
    await client.blobs.push("team/nx-cache", source);
  }
  await client.putManifest("team/nx-cache", tag, MEDIA_TYPE.manifest, Buffer.from(manifest));
}
