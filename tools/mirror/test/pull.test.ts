// Pulls through a real mirror: from Debian's docker-registry, and from an upstream that counts and misbehaves.

import { describe, expect, it, onTestFinished } from "vitest";
import { RegistryClient } from "@waybill/oci/registry";
import { startRegistry } from "@waybill/testing";
import { Readable } from "node:stream";
import { type Digest, run } from "@waybill/oci";
import { OCI_INDEX, blobOf, descriptorOf, imageOf, indexOf, pullImage } from "../../registry/test/image.ts";
import type { TestImage } from "../../registry/test/image.ts";
import { startUpstream } from "../../registry/test/upstream.ts";
import type { FakeUpstream } from "../../registry/test/upstream.ts";
import { startMirror } from "./mirror.ts";
import type { TestMirror } from "./mirror.ts";

const HOST = "example.com";

async function both(): Promise<{ upstream: FakeUpstream; mirror: TestMirror }> {
  const upstream = await startUpstream();
  return { upstream, mirror: await startMirror({ [HOST]: upstream.url }) };
}

/** What the mirror's upstream was asked to send. */
const gets = (upstream: FakeUpstream): number => upstream.count("GET", "/blobs/");

describe("from a real registry", () => {
  it("an image comes for the platforms that are wanted, and is served when that registry is gone", async () => {
    const upstream = await startRegistry();
    const mirror = await startMirror({ [HOST]: `http://${upstream.host}` });
    const images = [imageOf("amd64"), imageOf("other"), imageOf("unwanted")];
    const index = indexOf(images);
    const client = new RegistryClient(upstream.host);
    for (const image of images) await push(client, "team/api", image, image.manifest.digest);
    await client.putManifest("team/api", "1.0", index.mediaType, index.bytes);
    const [pulled] = await mirror.pull([`${HOST}/team/api:1.0`], { platforms: ["linux/amd64", "linux/other1"] });
    expect(pulled).toMatchObject({
      image: `${HOST}/team/api:1.0`,
      status: "pulled",
      digest: index.digest,
      stale: false,
    });
    await upstream.stop();
    for (const { manifest } of images.slice(0, 2))
      expect(await pullImage(mirror.url, `${HOST}/team/api`, manifest.digest)).toBe(manifest.digest);
    const holding = await mirror.holdings.find(`${HOST}/team/api`, { tag: "1.0" });
    expect(holding).toMatchObject({
      digest: index.digest,
      platforms: [
        { platform: "linux/amd64", complete: true },
        { platform: "linux/other1", complete: true },
      ],
      absent: 1,
    });
    expect(pulled?.moved).toBe(
      images
        .slice(0, 2)
        .flatMap((each) => [each.config, ...each.layers])
        .reduce((sum, { bytes }) => sum + bytes.length, 0),
    );
  });
});

async function push(client: RegistryClient, repository: string, image: TestImage, tag: string): Promise<void> {
  for (const { digest, bytes } of [image.config, ...image.layers])
    await client.blobs.push(repository, {
      digest: digest as Digest,
      size: bytes.length,
      open: () => Readable.from([bytes]),
    });
  await client.putManifest(repository, tag, image.manifest.mediaType, image.manifest.bytes);
}

describe("from a registry with a port", () => {
  it("an image has a name in the mirror that clients can say", async () => {
    const upstream = await startRegistry();
    onTestFinished(() => upstream.stop());
    const image = imageOf("a");
    await push(new RegistryClient(upstream.host), "team/api", image, "1.0");
    const mirror = await startMirror({ [upstream.host]: `http://${upstream.host}` });
    expect(await mirror.pull([`${upstream.host}/team/api:1.0`])).toMatchObject([{ status: "pulled" }]);
    const name = `${mirror.host}/${upstream.host.replace(":", "__")}/team/api:1.0`;
    const args = ["inspect", "--raw", "--tls-verify=false", `docker://${name}`];
    expect((await run("skopeo", args, { check: true, timeoutMs: 60_000 })).stdout).toBe(
      image.manifest.bytes.toString(),
    );
    expect(await Array.fromAsync(mirror.holdings.all())).toMatchObject([
      { repository: `${upstream.host}/team/api`, tag: "1.0" },
    ]);
  });
});

describe("what is held", () => {
  it("is not moved again, and no upstream is asked for it", async () => {
    const { upstream, mirror } = await both();
    upstream.hold("team/api", imageOf("a"), "1.0");
    expect((await mirror.pull([`${HOST}/team/api:1.0`]))[0]).toMatchObject({ status: "pulled" });
    const before = gets(upstream);
    expect(before).toBe(3);
    expect((await mirror.pull([`${HOST}/team/api:1.0`]))[0]).toMatchObject({ status: "held", moved: 0 });
    expect(gets(upstream)).toBe(before);
  });

  it("stays when its upstream is down, and that is no failure", async () => {
    const { upstream, mirror } = await both();
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    await mirror.pull([`${HOST}/team/api:1.0`]);
    await upstream.close();
    const pulled = await mirror.pull([
      `${HOST}/team/api:1.0`,
      `${HOST}/team/api@${image.manifest.digest}`,
      `${HOST}/team/new:1.0`,
    ]);
    expect(pulled).toMatchObject([
      { status: "held", stale: true },
      { status: "held", stale: false },
      { status: "failed", failure: expect.stringContaining("example.com") as string },
    ]);
  });

  it("is followed where its tag goes, however lately the mirror asked", async () => {
    const { upstream, mirror } = await both();
    const [old, moved] = [imageOf("old"), imageOf("new")];
    upstream.hold("team/api", old, "latest");
    await mirror.pull([`${HOST}/team/api`]);
    upstream.hold("team/api", moved, "latest");
    expect(await mirror.pull([`${HOST}/team/api`])).toMatchObject([
      { status: "moved", before: old.manifest.digest, digest: moved.manifest.digest },
    ]);
    expect(await mirror.pull([`${HOST}/team/api`])).toMatchObject([{ status: "held", before: undefined }]);
  });

  it("comes again where a layer was lost", async () => {
    const { upstream, mirror } = await both();
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    await mirror.pull([`${HOST}/team/api:1.0`]);
    const lost = image.layers[1]?.digest ?? "";
    await fetch(`${mirror.url}/v2/${HOST}/team/api/blobs/${lost}`, { method: "DELETE" });
    expect(await mirror.pull([`${HOST}/team/api:1.0`])).toMatchObject([{ status: "pulled", moved: 1000 }]);
  });
});

describe("what can't be had", () => {
  it("is named, and keeps nothing else from coming", async () => {
    const { upstream, mirror } = await both();
    upstream.hold("team/api", imageOf("a"), "1.0");
    upstream.holdIndex("team/two", [imageOf("b"), imageOf("c")], "1.0");
    const pulled = await mirror.pull(
      [
        `${HOST}/team/none:1.0`,
        `${HOST}/team/api:1.0`,
        `${HOST}/team/api:2.0`,
        "quay.io/a/b:1",
        `${HOST}/team/two:1.0`,
        `${HOST}/team/api@sha256:${"0".repeat(64)}`,
      ],
      { platforms: ["linux/other1"] },
    );
    expect(pulled.map(({ status, failure }) => [status, failure])).toEqual([
      ["failed", "its registry has no such image: check name and tag"],
      ["failed", "it is not for linux/other1, but for linux/amd64"],
      ["failed", "its registry has no such image: check name and tag"],
      ["failed", 'quay.io is not among the mirror\'s upstreams: add it to "upstreams" of its config.json'],
      ["pulled", undefined],
      ["failed", "its registry has no such image: check name and tag"],
    ]);
    expect(await mirror.pull([`${HOST}/team/two:1.0`], { platforms: ["linux/arm64"] })).toMatchObject([
      { failure: "it is not for linux/arm64, but for linux/amd64, linux/other1" },
    ]);
  });

  it("is no platform of what has none: an index of artifacts comes whole", async () => {
    const { upstream, mirror } = await both();
    const parts = [imageOf("a"), imageOf("b")];
    for (const part of parts) upstream.hold("team/chart", part);
    const manifests = parts.map(({ manifest }) => descriptorOf(manifest, manifest.mediaType));
    const index = {
      ...blobOf(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests })),
      mediaType: OCI_INDEX,
    };
    upstream.hold("team/chart", { ...imageOf("c"), manifest: index }, "1.0");
    expect(await mirror.pull([`${HOST}/team/chart:1.0`])).toMatchObject([{ status: "pulled", digest: index.digest }]);
    for (const { manifest } of parts)
      expect(await pullImage(mirror.url, `${HOST}/team/chart`, manifest.digest)).toBe(manifest.digest);
  });

  it("is a blob that is wrong or gone: the image is not said to be here", async () => {
    const { upstream, mirror } = await both();
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    upstream.fault = ({ path }, response) => {
      if (!path.includes(image.layers[0]?.digest ?? "-")) return false;
      response.writeHead(404, { "content-type": "application/json" }).end('{"errors":[]}');
      return true;
    };
    expect(await mirror.pull([`${HOST}/team/api:1.0`])).toMatchObject([{ status: "failed" }]);
    upstream.fault = undefined;
    expect(await mirror.pull([`${HOST}/team/api:1.0`])).toMatchObject([{ status: "pulled", moved: 1000 }]);
  });
});

describe("a list of 200", () => {
  it("comes with one GET a blob, though they share layers and several come at once", async () => {
    const { upstream, mirror } = await both();
    const base = imageOf("base");
    const images = Array.from({ length: 200 }, (_, i) =>
      imageOf(`app${i % 50}`, 500, { annotations: { i: String(i) } }),
    );
    for (const [i, image] of images.entries()) {
      // All stand on one layer, and four of them on one config.
      const manifest = shared(image, base);
      upstream.hold(`team/app${i % 20}`, manifest, `v${i}`);
    }
    const names = images.map((_, i) => `${HOST}/team/app${i % 20}:v${i}`);
    const seen: string[] = [];
    const pulled = await mirror.pull(names, { concurrency: 8, onImage: ({ image }) => seen.push(image) });
    expect(pulled.map(({ image, status }) => [image, status])).toEqual(names.map((name) => [name, "pulled"]));
    expect(seen.toSorted()).toEqual(names.toSorted());
    const asked = upstream.asked.filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
    const digests = asked.map(({ path }) => path.split("/").at(-1));
    expect(digests.length).toBe(new Set(digests).size);
    expect((await Array.fromAsync(mirror.holdings.all())).length).toBe(200);
  }, 120_000);
});

/** The image with the base's first layer for its own. */
function shared(image: TestImage, base: TestImage): TestImage {
  const content = JSON.parse(image.manifest.bytes.toString()) as { layers: object[] };
  const [layer] = (JSON.parse(base.manifest.bytes.toString()) as { layers: object[] }).layers;
  const layers = [base.layers[0], image.layers[1]].filter((each) => each !== undefined);
  const { bytes, digest } = blobOf(JSON.stringify({ ...content, layers: [layer, content.layers[1]] }));
  return { config: image.config, layers, manifest: { ...image.manifest, bytes, digest } };
}

describe("a pull that is broken off", () => {
  it("ends at once, and the next one brings the rest", async () => {
    const { upstream, mirror } = await both();
    const image = imageOf("a", 100_000);
    upstream.hold("team/api", image, "1.0");
    const stopper = new AbortController();
    const hung = Promise.withResolvers<void>();
    upstream.fault = ({ path, method }, response) => {
      if (method !== "GET" || !path.includes(image.layers[1]?.digest ?? "-")) return false;
      response.writeHead(200, { "content-length": 100_000 }).write(image.layers[1]?.bytes.subarray(0, 50_000));
      hung.resolve();
      return true;
    };
    const broken = mirror.pull([`${HOST}/team/api:1.0`], { signal: stopper.signal });
    await hung.promise;
    stopper.abort(new Error("stopped"));
    await expect(broken).rejects.toThrow("stopped");
    upstream.fault = undefined;
    expect(await mirror.pull([`${HOST}/team/api:1.0`])).toMatchObject([{ status: "pulled" }]);
    expect(await pullImage(mirror.url, `${HOST}/team/api`, "1.0")).toBe(image.manifest.digest);
    // The first layer came once.
    expect(upstream.count("GET", image.layers[0]?.digest ?? "-")).toBe(1);
  });
});
