// The built image against a real registry, with what `oras push` leaves there.

import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltImage, type RunningRegistry, builtImage, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const REPOSITORY = "team/model";

let image: BuiltImage;
let registry: RunningRegistry;
let models: string;

beforeAll(async () => {
  image = await builtImage("downloader");
  registry = await startRegistry();
  models = await mkdtemp(join(tmpdir(), "waybill-downloader-"));
  await chmod(models, 0o777);
}, 120_000);

afterAll(async () => {
  await registry.stop();
  await rm(models, { recursive: true, force: true });
});

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  annotations?: Record<string, string>;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function putBlob(bytes: Buffer, title?: string): Promise<Descriptor> {
  const digest = digestOf(bytes);
  const begun = await fetch(`http://${registry.host}/v2/${REPOSITORY}/blobs/uploads/`, { method: "POST" });
  const upload = new URL(begun.headers.get("location") ?? "", `http://${registry.host}`);
  upload.searchParams.set("digest", digest);
  const ended = await fetch(upload, { method: "PUT", body: new Uint8Array(bytes) });
  expect(ended.status).toBe(201);
  const annotations = title === undefined ? {} : { annotations: { "org.opencontainers.image.title": title } };
  return { mediaType: "application/octet-stream", digest, size: bytes.length, ...annotations };
}

async function putManifest(tag: string, layers: Descriptor[]): Promise<string> {
  const config = { ...(await putBlob(Buffer.from("{}"))), mediaType: "application/vnd.oci.empty.v1+json" };
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const url = `http://${registry.host}/v2/${REPOSITORY}/manifests/${tag}`;
  const put = await fetch(url, { method: "PUT", body: new Uint8Array(body), headers: { "content-type": mediaType } });
  expect(put.status).toBe(201);
  return digestOf(body);
}

describe("the downloader image and a real registry", () => {
  it("pulls an artefact's files by tag, in parallel ranges, and finds them there by digest", async () => {
    const weights = Buffer.alloc(3_000_000, "weights ");
    const config = Buffer.from('{"layers":2}');
    const digest = await putManifest("1.0", [
      await putBlob(weights, "model.gguf"),
      await putBlob(config, "conf/config.json"),
    ]);
    const pull = (name: string) =>
      image.run({
        args: [
          "--type",
          "oci",
          "--registry",
          `http://${registry.host}`,
          "--name",
          name,
          "--output-dir",
          "/models",
          "--chunk-size",
          "1MB",
        ],
        mounts: [{ source: models, target: "/models" }],
      });
    const first = await pull(`${REPOSITORY}:1.0`);
    expect(await first.exited(), first.stderr).toMatchObject({ exitCode: 0 });
    expect(first.stderr).toContain(`2 files, 3.0 MB, revision ${digest}`);
    expect((await readFile(join(models, "model.gguf"))).equals(weights)).toBe(true);
    expect((await readFile(join(models, "conf/config.json"))).equals(config)).toBe(true);
    const second = await pull(`${REPOSITORY}@${digest}`);
    expect(await second.exited(), second.stderr).toMatchObject({ exitCode: 0 });
    expect(second.stderr).toContain("present model.gguf");
  });

  it("says that a tag is not there: exit 3", async () => {
    const container = await image.run({
      args: [
        "--type",
        "oci",
        "--registry",
        registry.host,
        "--plain-http",
        "--name",
        `${REPOSITORY}:none`,
        "--output-dir",
        "/models",
      ],
      mounts: [{ source: models, target: "/models" }],
    });
    expect(await container.exited()).toMatchObject({ exitCode: 3 });
    expect(container.stderr).toMatch(
      /^downloader: the server answered HTTP 404 \(MANIFEST_UNKNOWN manifest unknown\), .*: check --registry, --name and the tag\n$/,
    );
  });
});
