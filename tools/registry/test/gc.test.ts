// Garbage collection: what stays, what goes, and what is let alone because someone is at it.

import { readdir, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "@waybill/registry";
import { settled, startTestRegistry, upstreamAt } from "./harness.ts";
import type { TestRegistry } from "./harness.ts";
import {
  ask,
  blobOf,
  descriptorOf,
  imageOf,
  indexOf,
  OCI_MANIFEST,
  pullImage,
  pushBlob,
  pushImage,
  pushManifest,
} from "./image.ts";
import type { TestImage } from "./image.ts";
import { startUpstream } from "./upstream.ts";

const AT_ONCE = { gc: { grace: "0s" } };

interface Collected {
  removed: string[];
  blobs: number;
  freed: number;
}

async function gc({ folder }: TestRegistry, dryRun = false): Promise<Collected> {
  return (await command(folder, "gc", { dryRun: String(dryRun) })) as Collected;
}

async function blobsIn({ folder }: TestRegistry): Promise<string[]> {
  return (await readdir(join(folder, "blobs", "sha256"))).map((hex) => `sha256:${hex}`).sort();
}

const digestsOf = (image: TestImage): string[] =>
  [image.config, ...image.layers, image.manifest].map(({ digest }) => digest);

describe("mark and sweep", () => {
  it("frees what nothing names, and nothing else", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const [kept, dropped] = [imageOf("kept"), imageOf("dropped")];
    for (const image of [kept, dropped])
      await pushImage(registry.url, "team/api", image, image === kept ? "kept" : "dropped");
    await ask(registry.url, `/v2/team/api/manifests/${dropped.manifest.digest}`, { method: "DELETE" });
    const dry = await gc(registry, true);
    expect([dry.blobs, await blobsIn(registry)]).toEqual([4, [...digestsOf(kept), ...digestsOf(dropped)].sort()]);
    const { blobs, freed } = await gc(registry);
    expect([blobs, freed]).toEqual([dry.blobs, dry.freed]);
    expect(await blobsIn(registry)).toEqual(digestsOf(kept).sort());
    expect(await pullImage(registry.url, "team/api", "kept")).toBe(kept.manifest.digest);
  });

  it("reads manifests without mediaType", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const image = imageOf("plain", 1000, { mediaType: undefined });
    await pushImage(registry.url, "team/api", image, "1.0");
    expect(await gc(registry)).toMatchObject({ removed: [], blobs: 0 });
    expect(await pullImage(registry.url, "team/api", "1.0")).toBe(image.manifest.digest);
  });

  it("keeps images without tags, sparse indexes with the platforms they have, and what refers to an image", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const { url } = registry;
    const [here, away, untagged] = [imageOf("here"), imageOf("away"), imageOf("untagged")];
    await pushImage(url, "team/api", here);
    const index = indexOf([here, away]);
    await pushManifest(url, "team/api", "sparse", index);
    await pushImage(url, "team/api", untagged);
    const sbom = imageOf("sbom", 10, { subject: descriptorOf(here.manifest, OCI_MANIFEST), artifactType: "a/b" });
    await pushImage(url, "team/api", sbom);
    expect((await gc(registry)).blobs).toBe(0);
    for (const image of [here, untagged, sbom])
      expect(await pullImage(url, "team/api", image.manifest.digest)).toBe(image.manifest.digest);
    expect((await ask(url, "/v2/team/api/manifests/sparse")).status).toBe(200);
  });

  it("keeps an upstream's index of which one platform was pulled", async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry({ ...upstreamAt(upstream.url), ...AT_ONCE });
    const [amd64, arm64] = [imageOf("amd64"), imageOf("arm64")];
    upstream.holdIndex("team/api", [amd64, arm64], "1.0");
    await ask(registry.url, "/v2/example.com/team/api/manifests/1.0");
    await pullImage(registry.url, "example.com/team/api", amd64.manifest.digest);
    await settled(registry);
    expect((await gc(registry)).blobs).toBe(0);
    await upstream.close();
    expect((await ask(registry.url, "/v2/example.com/team/api/manifests/1.0")).status).toBe(200);
    expect(await pullImage(registry.url, "example.com/team/api", amd64.manifest.digest)).toBe(amd64.manifest.digest);
  });

  it("keeps a blob that another repository names", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const image = imageOf("a");
    for (const name of ["one", "two"]) await pushImage(registry.url, name, image, "1.0");
    await ask(registry.url, `/v2/one/manifests/${image.manifest.digest}`, { method: "DELETE" });
    expect((await gc(registry)).blobs).toBe(0);
    expect(await pullImage(registry.url, "two", "1.0")).toBe(image.manifest.digest);
  });
});

describe("leases", () => {
  it("keep a blob that was pushed, or only asked about, until its manifest can come; after a restart too", async () => {
    const registry = await startTestRegistry({ gc: { grace: "1h" } });
    const image = imageOf("a");
    for (const blob of [image.config, ...image.layers]) await pushBlob(registry.url, "team/api", blob);
    expect((await gc(registry)).blobs).toBe(0);
    await registry.restart();
    expect((await gc(registry)).blobs).toBe(0);
    expect((await pushManifest(registry.url, "team/api", "1.0", image.manifest)).status).toBe(201);
  });

  it("end: a blob that nobody came back for goes", async () => {
    const registry = await startTestRegistry({ gc: { grace: "1h" } });
    const blob = blobOf("left alone");
    await pushBlob(registry.url, "team/api", blob);
    await registry.restart(async () => {
      const link = join(registry.folder, "repositories", "pushed", "team", "api", "_blobs", ...blob.digest.split(":"));
      await utimes(link, 1_700_000_000, 1_700_000_000);
    });
    expect((await gc(registry)).blobs).toBe(1);
    expect((await ask(registry.url, `/v2/team/api/blobs/${blob.digest}`)).status).toBe(404);
  });

  it("hold what is being read", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const image = imageOf("a", 30_000_000);
    await pushImage(registry.url, "team/api", image, "1.0");
    const layer = image.layers[1] as (typeof image.layers)[number];
    const response = await fetch(`${registry.url}/v2/team/api/blobs/${layer.digest}`);
    const reader = response.body?.getReader();
    const first = await reader?.read();
    await ask(registry.url, `/v2/team/api/manifests/${image.manifest.digest}`, { method: "DELETE" });
    await gc(registry);
    let size = first?.value?.length ?? 0;
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) size += part.value.length;
    expect(size).toBe(layer.bytes.length);
  });

  it("hold what is pushed while collections run, one after the other", async () => {
    const registry = await startTestRegistry({ gc: { grace: "1h" } });
    const pushing = new AbortController();
    const collecting = (async () => {
      while (!pushing.signal.aborted) await gc(registry);
    })();
    for (let i = 0; i < 15; i++) {
      const image = imageOf(`image ${i}`, 50_000);
      await pushImage(registry.url, `team/api${i % 3}`, image, `t${i}`);
      expect(await pullImage(registry.url, `team/api${i % 3}`, `t${i}`)).toBe(image.manifest.digest);
    }
    pushing.abort();
    await collecting;
  });
});

describe("rules", () => {
  const DAY = 86_400;

  /** Makes a tag's image look as if it was last pulled so many days ago. */
  async function lastUsed(
    { folder }: TestRegistry,
    repository: string,
    image: TestImage,
    daysAgo: number,
  ): Promise<void> {
    const link = join(
      folder,
      "repositories",
      ...repository.split("/"),
      "_manifests",
      ...image.manifest.digest.split(":"),
    );
    const then = Date.now() / 1000 - daysAgo * DAY;
    await utimes(link, then, then);
  }

  it("by last use and tag pattern: what nobody pulled for long goes, others stay", async () => {
    const rules = [{ repositories: "team/**", tags: "pr-*", unusedFor: "14d" }];
    const registry = await startTestRegistry({ gc: { grace: "0s", rules } });
    const images = { "pr-1": imageOf("1"), "pr-2": imageOf("2"), "1.0": imageOf("3") };
    for (const [tag, image] of Object.entries(images)) await pushImage(registry.url, "team/api", image, tag);
    await lastUsed(registry, "pushed/team/api", images["pr-1"], 20);
    await lastUsed(registry, "pushed/team/api", images["1.0"], 20);
    const expected = ["team/api:pr-1", `team/api@${images["pr-1"].manifest.digest}`];
    expect((await gc(registry, true)).removed).toEqual(expected);
    expect((await ask(registry.url, "/v2/team/api/manifests/pr-1", { method: "HEAD" })).status).toBe(200);
    await registry.restart(() => lastUsed(registry, "pushed/team/api", images["pr-1"], 20));
    expect((await gc(registry)).removed).toEqual(expected);
    const { body } = await ask(registry.url, "/v2/team/api/tags/list");
    expect((JSON.parse(body.toString()) as { tags: string[] }).tags).toEqual(["1.0", "pr-2"]);
    expect((await blobsIn(registry)).includes(images["pr-1"].manifest.digest)).toBe(false);
  });

  it("by age, but the newest stay", async () => {
    const rules = [{ repositories: "**", olderThan: "1ms", keepNewest: 2 }];
    const registry = await startTestRegistry({ gc: { grace: "0s", rules } });
    for (const tag of ["a", "b", "c", "d"]) await pushImage(registry.url, "team/api", imageOf(tag), tag);
    expect((await gc(registry)).removed.filter((each) => !each.includes("@")).sort()).toEqual([
      "team/api:a",
      "team/api:b",
    ]);
  });

  it("for what has no tag", async () => {
    const rules = [{ repositories: "team/api", untaggedFor: "7d" }];
    const registry = await startTestRegistry({ gc: { grace: "0s", rules } });
    const [old, moved, other] = [imageOf("old"), imageOf("moved"), imageOf("other")];
    await pushImage(registry.url, "team/api", old, "latest");
    await pushImage(registry.url, "team/api", moved, "latest");
    await pushImage(registry.url, "team/other", other);
    for (const [repository, image] of [
      ["team/api", old],
      ["team/api", moved],
      ["team/other", other],
    ] as const)
      await lastUsed(registry, `pushed/${repository}`, image, 10);
    expect((await gc(registry)).removed).toEqual([`team/api@${old.manifest.digest}`]);
    expect(await pullImage(registry.url, "team/api", "latest")).toBe(moved.manifest.digest);
  });

  it("by upstream, and by size: the longest unused goes first, and what was pushed stays", async () => {
    const upstream = await startUpstream();
    const settings = { ...upstreamAt(upstream.url, { revalidateAfter: "1h" }), gc: { grace: "0s", maxSize: "250KB" } };
    const registry = await startTestRegistry(settings);
    const images = [1, 2, 3].map((i) => imageOf(`image ${i}`, 50_000));
    const pushed = imageOf("pushed", 200_000);
    await pushImage(registry.url, "team/own", pushed, "1.0");
    for (const [i, image] of images.entries()) {
      upstream.hold("team/api", image, `t${i}`);
      await pullImage(registry.url, "example.com/team/api", `t${i}`);
      await settled(registry);
    }
    for (const [i, image] of images.entries()) await lastUsed(registry, "example.com/team/api", image, 3 - i);
    expect((await gc(registry)).removed).toEqual([
      "example.com/team/api:t0",
      `example.com/team/api@${images[0]?.manifest.digest}`,
    ]);
    expect(await pullImage(registry.url, "team/own", "1.0")).toBe(pushed.manifest.digest);
    await upstream.close();
    expect(await pullImage(registry.url, "example.com/team/api", "t2")).toBe(images[2]?.manifest.digest);
    expect((await ask(registry.url, "/v2/example.com/team/api/manifests/t0")).status).toBe(502);
  });
});

describe("uploads that nobody went on with", () => {
  it("go after a day", async () => {
    const registry = await startTestRegistry(AT_ONCE);
    const session =
      (await ask(registry.url, "/v2/team/api/blobs/uploads/", { method: "POST" })).headers.get("location") ?? "";
    const data = join(registry.folder, "uploads", session.split("/").at(-1) ?? "", "data");
    await gc(registry);
    expect((await stat(data)).size).toBe(0);
    for (const path of [data, dirname(data)]) await utimes(path, 1_700_000_000, 1_700_000_000);
    await gc(registry);
    expect((await ask(registry.url, session)).status).toBe(404);
  });
});
