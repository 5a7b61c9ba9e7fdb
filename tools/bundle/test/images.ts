// Images for tests: real layers, so that real engines can take them, in a store of the test's own.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { BlobStore, type Descriptor, type Digest, MEDIA_TYPE, canonicalJson, digestOf } from "@waybill/oci";
import { onTestFinished } from "vitest";
import { BLOCK, encodeHeader, padded } from "../src/tar/header.ts";

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function temporaryStore(): Promise<BlobStore> {
  return new BlobStore(join(await temporaryFolder(), "store"));
}

/** A layer with one file; the same words are the same layer. */
export async function makeLayer(store: BlobStore, words: string, size = 0): Promise<Descriptor & { diffId: Digest }> {
  const content = size === 0 ? Buffer.from(words) : Buffer.concat([Buffer.from(words), randomBytes(size)]);
  const name = `${words.replaceAll(/\W/g, "-")}.txt`;
  const body = Buffer.alloc(padded(content.length));
  content.copy(body);
  const tar = Buffer.concat([encodeHeader({ name, size: content.length, type: "0" }), body, Buffer.alloc(2 * BLOCK)]);
  const put = await store.put(gzipSync(tar));
  return { mediaType: MEDIA_TYPE.layerGzip, ...put, diffId: digestOf(tar) };
}

export interface ManifestNeeds {
  layers: readonly (Descriptor & { diffId: Digest })[];
  /** "linux/amd64" */
  platform?: string;
  seed?: string;
}

export async function makeManifest(store: BlobStore, needs: ManifestNeeds): Promise<Descriptor> {
  const [os = "", architecture = ""] = (needs.platform ?? "linux/amd64").split("/");
  const diffIds = needs.layers.map(({ diffId }) => diffId);
  const config = canonicalJson({
    architecture,
    os,
    config: { Labels: { seed: needs.seed ?? "" } },
    rootfs: { type: "layers", diff_ids: diffIds },
  });
  const layers = needs.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  return await putManifest(store, { config: { mediaType: MEDIA_TYPE.config, ...(await store.put(config)) }, layers });
}

/** @param content laid over an empty manifest */
async function putManifest(store: BlobStore, content: object): Promise<Descriptor> {
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.manifest, ...content });
  return { mediaType: MEDIA_TYPE.manifest, ...(await store.put(bytes)) };
}

export async function putIndex(store: BlobStore, manifests: readonly object[]): Promise<Descriptor> {
  const bytes = canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
  return { mediaType: MEDIA_TYPE.index, ...(await store.put(bytes)) };
}

/** An index over platforms that share their first layer, each with one of its own. */
export async function makeImage(
  store: BlobStore,
  seed: string,
  platforms: readonly string[] = ["linux/amd64", "linux/arm64"],
  size = 0,
): Promise<Descriptor> {
  const base = await makeLayer(store, "base");
  const entries = platforms.map(async (platform) => {
    const layers = [base, await makeLayer(store, `${seed} ${platform}`, size)];
    const [os, architecture] = platform.split("/");
    return { ...(await makeManifest(store, { layers, platform, seed })), platform: { os, architecture } };
  });
  return await putIndex(store, await Promise.all(entries));
}

/** A signature, or what else refers to a manifest. */
export async function makeReferrer(store: BlobStore, subject: Descriptor, words: string): Promise<Descriptor> {
  const empty = { mediaType: MEDIA_TYPE.empty, ...(await store.put("{}")) };
  const layer = { mediaType: "application/vnd.example.signature", ...(await store.put(words)) };
  const { mediaType, digest, size } = subject;
  const artifactType = "application/vnd.example.signature";
  return await putManifest(store, {
    artifactType,
    config: empty,
    layers: [layer],
    subject: { mediaType, digest, size },
  });
}
