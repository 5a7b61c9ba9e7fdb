// What the owner of a registry's folder may do over its socket: bring images under the names of upstreams, which then are served as if
// the upstream had said so, whether it can be asked or not.

import { expect, it } from "vitest";
import { RegistryClient, RegistryError, anonymous } from "@waybill/oci/registry";
import type { Digest } from "@waybill/oci";
import { ownerSend } from "@waybill/registry";
import { startTestRegistry, upstreamAt } from "./harness.ts";
import type { TestRegistry } from "./harness.ts";
import { ask, imageOf, pullImage, pushManifest } from "./image.ts";
import { Readable } from "node:stream";

/** Nothing listens there. */
const NOBODY = "http://127.0.0.1:1";

async function ownerOf({ host, folder }: TestRegistry): Promise<RegistryClient> {
  const retry = { attempts: 1, pauseMs: 0, maxPauseMs: 0 };
  return new RegistryClient(host, { credentials: anonymous, send: await ownerSend(folder), retry });
}

async function bring(client: RegistryClient, repository: string, tag: string, size = 1000): Promise<Digest> {
  const { config, layers, manifest } = imageOf(tag, size);
  for (const { digest, bytes } of [config, ...layers]) {
    const source = { digest: digest as Digest, size: bytes.length, open: () => Readable.from([bytes]) };
    await client.blobs.push(repository, source);
  }
  return await client.putManifest(repository, tag, manifest.mediaType, manifest.bytes);
}

it("brings an image of an upstream that can't be asked, which is then served with a warning", async () => {
  const registry = await startTestRegistry(upstreamAt(NOBODY));
  const digest = await bring(await ownerOf(registry), "example.com/acme/api", "1.0", 3_000_000);
  expect(await pullImage(registry.url, "example.com/acme/api", "1.0")).toBe(digest);
  const answer = await ask(registry.url, "/v2/example.com/acme/api/manifests/1.0");
  expect(answer.headers.get("warning")).toMatch(/^110 /);
  await registry.restart();
  expect(await pullImage(registry.url, "example.com/acme/api", "1.0")).toBe(digest);
});

it("answers from what is here alone", async () => {
  const upstream = await startTestRegistry();
  const owner = await ownerOf(upstream);
  await bring(owner, "acme/api", "1.0");
  const registry = await startTestRegistry(upstreamAt(upstream.url));
  const client = await ownerOf(registry);
  expect(await client.headManifest("example.com/acme/api", "1.0")).toBeUndefined();
  expect(await client.blobs.has("example.com/acme/api", imageOf("1.0").config.digest as Digest)).toBe(false);
  expect(await pullImage(registry.url, "example.com/acme/api", "1.0")).toMatch(/^sha256:/);
});

it("takes what the API takes, and refuses what it refuses", async () => {
  const registry = await startTestRegistry(upstreamAt(NOBODY));
  const client = await ownerOf(registry);
  await expect(bring(client, "elsewhere.example/acme/api", "1.0")).rejects.toThrow(
    /NAME_UNKNOWN no repository elsewhere/,
  );
  const { manifest } = imageOf("1.0");
  const put = client.putManifest("example.com/acme/api", "1.0", manifest.mediaType, manifest.bytes);
  await expect(put).rejects.toThrow(/MANIFEST_BLOB_UNKNOWN/);
  await expect(put).rejects.toBeInstanceOf(RegistryError);
  expect(await client.headManifest("example.com/acme/api", "1.0")).toBeUndefined();
  const lie = {
    digest: `sha256:${"0".repeat(64)}` as const,
    size: 4,
    open: () => Readable.from([Buffer.from("lies")]),
  };
  await expect(client.blobs.upload("example.com/acme/api", lie)).rejects.toThrow(/DIGEST_INVALID/);
});

it("gives back what it took: blobs whole and in part, referrers", async () => {
  const registry = await startTestRegistry(upstreamAt(NOBODY));
  const client = await ownerOf(registry);
  const digest = await bring(client, "example.com/acme/api", "1.0");
  const image = imageOf("1.0");
  const { config } = image;
  const size = config.bytes.length;
  const read = await client.blobs.get("example.com/acme/api", config.digest as Digest, size).toArray();
  expect(Buffer.concat(read as Buffer[])).toEqual(config.bytes);
  const subject = { mediaType: image.manifest.mediaType, digest, size: image.manifest.bytes.length };
  const signature = imageOf("signature", 10, { subject, artifactType: "application/vnd.example" });
  for (const { digest: name, bytes } of [signature.config, ...signature.layers]) {
    const source = { digest: name as Digest, size: bytes.length, open: () => Readable.from([bytes]) };
    await client.blobs.push("example.com/acme/api", source);
  }
  const { mediaType, bytes } = signature.manifest;
  const signed = await client.putManifest("example.com/acme/api", signature.manifest.digest, mediaType, bytes);
  expect(await client.listReferrers("example.com/acme/api", digest)).toMatchObject([
    { digest: signed, artifactType: "application/vnd.example" },
  ]);
});

it("is the owner's alone: over the network an upstream's names stay read-only", async () => {
  const registry = await startTestRegistry(upstreamAt(NOBODY));
  const { manifest } = imageOf("1.0");
  expect((await pushManifest(registry.url, "example.com/acme/api", "1.0", manifest)).status).toBe(405);
});
