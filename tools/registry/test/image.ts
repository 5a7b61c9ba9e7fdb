// Images for tests, and their way into a registry by plain HTTP: what is tested is the server, not our client.

import { createHash, randomBytes } from "node:crypto";

export interface Blob {
  digest: string;
  bytes: Buffer;
}

export interface TestImage {
  config: Blob;
  layers: Blob[];
  manifest: Blob & { mediaType: string };
}

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";

export function blobOf(content: string | Buffer, algorithm = "sha256"): Blob {
  const bytes = Buffer.from(content);
  return { digest: `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`, bytes };
}

export function randomBlob(size: number): Blob {
  return blobOf(randomBytes(size));
}

/** @param extra laid over the manifest: subject, artifactType, annotations */
export function imageOf(seed: string, layerSize = 1000, extra: object = {}): TestImage {
  const config = blobOf(
    JSON.stringify({ architecture: "amd64", os: "linux", seed, rootfs: { type: "layers", diff_ids: [] } }),
  );
  const layers = [blobOf(Buffer.alloc(layerSize, seed)), randomBlob(layerSize)];
  const content = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptorOf(config, "application/vnd.oci.image.config.v1+json"),
    layers: layers.map((layer) => descriptorOf(layer, "application/vnd.oci.image.layer.v1.tar+gzip")),
    ...extra,
  };
  return { config, layers, manifest: { ...blobOf(JSON.stringify(content)), mediaType: OCI_MANIFEST } };
}

export function indexOf(images: readonly TestImage[], extra: object = {}): Blob & { mediaType: string } {
  const manifests = images.map(({ manifest }, i) => ({
    ...descriptorOf(manifest, OCI_MANIFEST),
    platform: { os: "linux", architecture: i === 0 ? "amd64" : `other${i}` },
  }));
  const content = { schemaVersion: 2, mediaType: OCI_INDEX, manifests, ...extra };
  return { ...blobOf(JSON.stringify(content)), mediaType: OCI_INDEX };
}

export function descriptorOf(
  { digest, bytes }: Blob,
  mediaType: string,
): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length };
}

type Headers = Record<string, string>;

/** Asks, and reads the whole answer. */
export async function ask(
  url: string,
  path: string,
  init: { method?: string; headers?: Headers; body?: Buffer | string } = {},
): Promise<{ status: number; headers: globalThis.Headers; body: Buffer; code: string | undefined }> {
  const response = await fetch(new URL(path, url), init);
  const body = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get("content-type") ?? "";
  const code = response.status >= 400 && type.includes("json") ? codeOf(body) : undefined;
  return { status: response.status, headers: response.headers, body, code };
}

function codeOf(body: Buffer): string | undefined {
  return body.length === 0
    ? undefined
    : (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code;
}

export async function pushBlob(
  url: string,
  name: string,
  { digest, bytes }: Blob,
  headers: Headers = {},
): Promise<number> {
  const { status } = await ask(url, `/v2/${name}/blobs/uploads/?digest=${digest}`, {
    method: "POST",
    body: bytes,
    headers,
  });
  return status;
}

export async function pushManifest(
  url: string,
  name: string,
  reference: string,
  manifest: Blob & { mediaType: string },
  headers: Headers = {},
): Promise<Awaited<ReturnType<typeof ask>>> {
  const init = { method: "PUT", body: manifest.bytes, headers: { "content-type": manifest.mediaType, ...headers } };
  return await ask(url, `/v2/${name}/manifests/${reference}`, init);
}

/** Pushes all of an image, and a tag if one is given. */
export async function pushImage(
  url: string,
  name: string,
  image: TestImage,
  tag?: string,
  headers: Headers = {},
): Promise<void> {
  for (const blob of [image.config, ...image.layers]) {
    const status = await pushBlob(url, name, blob, headers);
    if (status !== 201) throw new Error(`blob answered ${status}`);
  }
  const { status, body } = await pushManifest(url, name, tag ?? image.manifest.digest, image.manifest, headers);
  if (status !== 201) throw new Error(`manifest answered ${status} ${body.toString()}`);
}

/** Pulls an image by reference and checks every byte of it. @returns the manifest's digest */
export async function pullImage(url: string, name: string, reference: string, headers: Headers = {}): Promise<string> {
  const manifest = await ask(url, `/v2/${name}/manifests/${reference}`, { headers });
  if (manifest.status !== 200) throw new Error(`manifest answered ${manifest.status} ${manifest.body.toString()}`);
  const digest = manifest.headers.get("docker-content-digest") ?? "";
  if (blobOf(manifest.body).digest !== digest) throw new Error("the manifest is not what its digest says");
  const { config, layers } = JSON.parse(manifest.body.toString()) as {
    config: { digest: string };
    layers: { digest: string }[];
  };
  for (const blob of [config, ...layers]) {
    const { status, body } = await ask(url, `/v2/${name}/blobs/${blob.digest}`, { headers });
    if (status !== 200) throw new Error(`blob answered ${status}`);
    if (blobOf(body).digest !== blob.digest) throw new Error("a blob is not what its digest says");
  }
  return digest;
}
