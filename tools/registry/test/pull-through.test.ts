// Pull-through while all is well: what is fetched, how often, and under which names.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { settled, startTestRegistry, upstreamAt } from "./harness.ts";
import { ask, imageOf, pullImage, pushImage, pushManifest } from "./image.ts";
import { startUpstream } from "./upstream.ts";

const NAME = "example.com/team/api";

describe("an image of an upstream", () => {
  it("is pulled through, then served from here without a question by digest", async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url, { revalidateAfter: "1h" }));
    const { url } = registry;
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    expect(await pullImage(url, NAME, "1.0")).toBe(image.manifest.digest);
    await settled(registry);
    const before = upstream.asked.length;
    await upstream.close();
    for (const reference of ["1.0", image.manifest.digest])
      expect(await pullImage(url, NAME, reference)).toBe(image.manifest.digest);
    expect(upstream.asked).toHaveLength(before);
  });

  it("is asked about anew by who says no-cache, however lately it was asked", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url, { revalidateAfter: "1h" }));
    const [old, moved] = [imageOf("old"), imageOf("moved")];
    upstream.hold("team/api", old, "1.0");
    const asked = async (headers: Record<string, string> = {}): Promise<string | null> =>
      (await ask(url, `/v2/${NAME}/manifests/1.0`, { headers })).headers.get("docker-content-digest");
    expect(await asked()).toBe(old.manifest.digest);
    upstream.hold("team/api", moved, "1.0");
    expect(await asked()).toBe(old.manifest.digest);
    expect(await asked({ "cache-control": "no-cache" })).toBe(moved.manifest.digest);
    expect(await asked()).toBe(moved.manifest.digest);
  });

  it("goes by path and by ?ns= alike, and by the upstream's own short names", async () => {
    const upstream = await startUpstream();
    const settings = { upstreams: { "docker.io": { url: upstream.url } } };
    const { url } = await startTestRegistry(settings);
    upstream.hold("library/debian", imageOf("debian"), "13");
    for (const path of [
      "/v2/docker.io/library/debian/manifests/13",
      "/v2/docker.io/debian/manifests/13",
      "/v2/library/debian/manifests/13?ns=docker.io",
      "/v2/library/debian/manifests/13?ns=registry-1.docker.io",
    ]) {
      expect((await ask(url, path)).status, path).toBe(200);
    }
    expect(upstream.count("GET", "/manifests/")).toBe(1);
    const answer = await ask(url, "/v2/library/debian/manifests/13?ns=docker.io");
    expect(answer.headers.get("oci-namespace")).toBe("docker.io");
  });

  it("of a registry we don't know is not there, so that clients go to it themselves", async () => {
    const { url } = await startTestRegistry();
    for (const path of ["/v2/quay.io/team/api/manifests/1.0", "/v2/team/api/manifests/1.0?ns=quay.io"]) {
      const { status, code } = await ask(url, path);
      expect([status, code]).toEqual([404, "NAME_UNKNOWN"]);
    }
  });

  it("comes from any registry where the configuration says so", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry({ upstreams: { "*": {} } });
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    expect((await ask(url, `/v2/team/api/manifests/1.0?ns=${upstream.host}`)).status).toBe(200);
  });

  it("lives beside what is pushed, from several upstreams at once", async () => {
    const [one, two] = [await startUpstream(), await startUpstream()];
    const { url } = await startTestRegistry({
      upstreams: { "one.test": { url: one.url }, "two.test": { url: two.url } },
    });
    const images = { one: imageOf("1"), two: imageOf("2"), own: imageOf("own") };
    one.hold("team/api", images.one, "1.0");
    two.hold("team/api", images.two, "1.0");
    await pushImage(url, "team/api", images.own, "1.0");
    expect(await pullImage(url, "one.test/team/api", "1.0")).toBe(images.one.manifest.digest);
    expect(await pullImage(url, "two.test/team/api", "1.0")).toBe(images.two.manifest.digest);
    expect(await pullImage(url, "team/api", "1.0")).toBe(images.own.manifest.digest);
  });

  it("can't be pushed here", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const answer = await pushManifest(url, NAME, "1.0", imageOf("a").manifest);
    expect([answer.status, answer.code]).toEqual([405, "UNSUPPORTED"]);
  });

  it("of a name without a host comes from the fallback, if nothing was pushed under it", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry({
      upstreams: { "docker.io": { url: upstream.url } },
      fallback: "docker.io",
    });
    const [theirs, ours] = [imageOf("theirs"), imageOf("ours")];
    upstream.hold("library/debian", theirs, "13");
    upstream.hold("team/api", theirs, "1.0");
    await pushImage(url, "team/api", ours, "1.0");
    expect(await pullImage(url, "library/debian", "13")).toBe(theirs.manifest.digest);
    expect(await pullImage(url, "team/api", "1.0")).toBe(ours.manifest.digest);
    expect((await ask(url, "/v2/team/api/manifests/2.0")).status).toBe(404);
  });
});

describe("many clients at once", () => {
  it("cause one upstream GET for each manifest and blob, and each gets all of it", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("a", 3_000_000);
    upstream.hold("team/api", image, "1.0");
    const pulls = await Promise.all(Array.from({ length: 100 }, () => pullImage(url, NAME, "1.0")));
    expect(new Set(pulls)).toEqual(new Set([image.manifest.digest]));
    for (const blob of [image.config, ...image.layers]) expect(upstream.count("GET", blob.digest), blob.digest).toBe(1);
    expect(upstream.count("GET", "/manifests/")).toBe(1);
  });

  it("each get all of it at their own pace, while others leave in the middle", async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("a", 40_000_000);
    upstream.hold("team/api", image, "1.0");
    const { digest } = image.layers[1] as (typeof image.layers)[number];
    const pull = async (pauseAfter: number, leaveAfter = Number.POSITIVE_INFINITY): Promise<string> => {
      const asked = get(`${registry.url}/v2/${NAME}/blobs/${digest}`).on("error", () => {});
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      const hash = createHash("sha256");
      let seen = 0;
      for await (const chunk of response as AsyncIterable<Buffer>) {
        hash.update(chunk);
        const before = seen;
        seen += chunk.length;
        if (seen > leaveAfter) return "left";
        // Some fall behind what is kept in memory, and read the file.
        if (Math.floor(before / pauseAfter) < Math.floor(seen / pauseAfter)) await setTimeout(20);
      }
      return `sha256:${hash.digest("hex")}`;
    };
    const pace = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1_000_000, 3_000_000];
    const pulls = await Promise.all([...pace.map((after) => pull(after)), pull(2_000_000, 9_000_000), pull(1e9, 1e6)]);
    expect(pulls).toEqual([digest, digest, digest, digest, "left", "left"]);
    await settled(registry);
    expect(await pull(1e9)).toBe(digest);
    expect(upstream.count("GET", digest)).toBe(1);
  });

  it("get bytes while they arrive, not after", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url, { silentFor: "30s" }));
    const image = imageOf("a", 2_000_000);
    upstream.hold("team/api", image, "1.0");
    const layer = image.layers[1] as (typeof image.layers)[number];
    const gate = Promise.withResolvers<void>();
    upstream.fault = async ({ path, method }, response) => {
      if (method !== "GET" || !path.includes(layer.digest)) return false;
      response.writeHead(200, { "content-length": layer.bytes.length });
      response.write(layer.bytes.subarray(0, 1_500_000));
      await gate.promise;
      response.end(layer.bytes.subarray(1_500_000));
      return true;
    };
    const readers = await Promise.all(
      [0, 1].map(async () => (await fetch(`${url}/v2/${NAME}/blobs/${layer.digest}`)).body?.getReader()),
    );
    for (const reader of readers) expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
    gate.resolve();
    for (const reader of readers) {
      for (;;) if ((await reader?.read())?.done !== false) break;
    }
    expect(upstream.count("GET", layer.digest)).toBe(1);
  });
});

describe("only what is asked for", () => {
  it("is fetched: one platform of an index", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const [amd64, arm64] = [imageOf("amd64"), imageOf("arm64")];
    const index = upstream.holdIndex("team/api", [amd64, arm64], "1.0");
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`)).body).toEqual(index.bytes);
    expect(await pullImage(url, NAME, amd64.manifest.digest)).toBe(amd64.manifest.digest);
    expect(upstream.count("GET", arm64.manifest.digest) + upstream.count("GET", arm64.config.digest)).toBe(0);
  });

  it("is fetched: a layer that another repository brought is asked about, and not sent again", async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    const { url } = registry;
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    upstream.hold("team/fork", image, "1.0");
    await pullImage(url, NAME, "1.0");
    const layer = image.layers[1]?.digest ?? "";
    await settled(registry);
    await pullImage(url, "example.com/team/fork", "1.0");
    expect(upstream.count("GET", layer)).toBe(1);
    expect(upstream.count("HEAD", layer)).toBe(1);
  });

  it("is served: a blob of another repository needs the upstream's word", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const secret = imageOf("secret");
    upstream.hold("team/secret", secret, "1.0");
    upstream.hold("team/api", imageOf("a"), "1.0");
    await pullImage(url, "example.com/team/secret", "1.0");
    const { status } = await ask(url, `/v2/${NAME}/blobs/${secret.layers[1]?.digest}`);
    expect(status).toBe(404);
  });
});

describe("a tag", () => {
  it("is believed for its time, then asked about with HEAD alone while it stays", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url, { revalidateAfter: "1h" }));
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    for (let i = 0; i < 3; i++) await ask(url, `/v2/${NAME}/manifests/1.0`);
    expect(upstream.count("HEAD", "/manifests/") + upstream.count("GET", "/manifests/")).toBe(1);
  });

  it("that moved is followed", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const [first, second] = [imageOf("1"), imageOf("2")];
    upstream.hold("team/api", first, "latest");
    expect(await pullImage(url, NAME, "latest")).toBe(first.manifest.digest);
    upstream.hold("team/api", second, "latest");
    expect(await pullImage(url, NAME, "latest")).toBe(second.manifest.digest);
    expect(await pullImage(url, NAME, first.manifest.digest)).toBe(first.manifest.digest);
  });

  it("that was deleted upstream is gone; its image by digest isn't", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("1");
    upstream.hold("team/api", image, "1.0");
    await pullImage(url, NAME, "1.0");
    upstream.drop("team/api", "1.0");
    const { status, code } = await ask(url, `/v2/${NAME}/manifests/1.0`);
    expect([status, code]).toEqual([404, "MANIFEST_UNKNOWN"]);
    expect(await pullImage(url, NAME, image.manifest.digest)).toBe(image.manifest.digest);
  });

  it("is in the upstream's list; in ours, with a warning, when the upstream is away", async () => {
    const upstream = await startUpstream();
    const { url } = await startTestRegistry(upstreamAt(upstream.url));
    for (const tag of ["2.0", "1.0"]) upstream.hold("team/api", imageOf(tag), tag);
    await pullImage(url, NAME, "1.0");
    const list = async (): Promise<[string[], string | null]> => {
      const { body, headers } = await ask(url, `/v2/${NAME}/tags/list`);
      return [(JSON.parse(body.toString()) as { tags: string[] }).tags, headers.get("warning")];
    };
    expect(await list()).toEqual([["1.0", "2.0"], null]);
    await upstream.close();
    expect(await list()).toEqual([["1.0"], expect.stringMatching(/^110 /)]);
  });
});
