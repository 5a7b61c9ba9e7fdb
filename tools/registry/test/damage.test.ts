// Damage at rest: what lies in the store is changed behind the registry's back. Nothing that is not what its digest says is served; what an
// upstream has comes back; what none has is reported.

import { appendFile, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "@waybill/registry";
import { settled, startTestRegistry, upstreamAt } from "./harness.ts";
import type { TestRegistry } from "./harness.ts";
import { ask, imageOf, pullImage, pushBlob, pushImage, pushManifest } from "./image.ts";
import { startUpstream } from "./upstream.ts";

const NAME = "example.com/team/api";
type Damage = (path: string) => Promise<void>;

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 4;
  await writeFile(path, bytes);
}

const DAMAGES: [string, Damage][] = [
  ["one bit flipped", flip],
  [
    "one bit flipped, its time put back",
    async (path) => {
      await flip(path);
      await utimes(path, 1_700_000_000, 1_700_000_000);
    },
  ],
  ["cut short", (path) => truncate(path, 10)],
  ["emptied", (path) => truncate(path, 0)],
  ["grown", (path) => appendFile(path, "x")],
  ["deleted", (path) => rm(path)],
];

function pathOf({ folder }: TestRegistry, digest: string): string {
  return join(folder, "blobs", ...digest.split(":"));
}

describe.each(DAMAGES)("a layer that was %s", (what, damage) => {
  const image = imageOf("a", 300_000);
  const layer = image.layers[1] as (typeof image.layers)[number];

  it.each([true, false])("comes back from its upstream, with the server running through it: %s", async (running) => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    upstream.hold("team/api", image, "1.0");
    await pullImage(registry.url, NAME, "1.0");
    await settled(registry);
    const path = pathOf(registry, layer.digest);
    if (running) await damage(path);
    else await registry.restart(() => damage(path));
    for (let i = 0; i < 2; i++) expect(await pullImage(registry.url, NAME, "1.0")).toBe(image.manifest.digest);
    await settled(registry);
    expect((await readFile(path)).equals(layer.bytes)).toBe(true);
    expect(await readdir(join(registry.folder, "quarantine")).catch(() => [])).toEqual([]);
  });

  it("that was pushed is never served, and is whole again once it is pushed again", async () => {
    const { url, ...registry } = await startTestRegistry();
    await pushImage(url, "team/api", image, "1.0");
    await damage(join(registry.folder, "blobs", ...layer.digest.split(":")));
    for (const method of ["HEAD", "GET"])
      expect((await ask(url, `/v2/team/api/blobs/${layer.digest}`, { method })).status).toBe(404);
    // A manifest can't be pushed that would name it.
    expect((await pushManifest(url, "team/api", "2.0", image.manifest)).code).toBe("MANIFEST_BLOB_UNKNOWN");
    const { damaged } = (await command(registry.folder, "status")) as { damaged: string[] };
    expect(damaged).toEqual(what === "deleted" ? [] : [layer.digest]);
    expect(await pushBlob(url, "team/api", layer)).toBe(201);
    expect(await pullImage(url, "team/api", "1.0")).toBe(image.manifest.digest);
    expect((await command(registry.folder, "status")) as object).toMatchObject({ damaged: [] });
  });

  it("finds the scrub, which brings it back, or says that it can't", async () => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry({ ...upstreamAt(upstream.url), scrub: { bytesPerSecond: "1GB" } });
    upstream.hold("team/api", image, "1.0");
    await pullImage(registry.url, NAME, "1.0");
    const own = imageOf("own", 5000);
    await pushImage(registry.url, "team/own", own, "1.0");
    await settled(registry);
    const lost = own.layers[1]?.digest ?? "";
    for (const digest of [layer.digest, lost]) await damage(pathOf(registry, digest));
    const scrubbed = (await command(registry.folder, "scrub")) as { damaged: string[]; lost: string[] };
    if (what === "deleted") return expect(scrubbed.damaged).toEqual([]);
    expect(scrubbed.damaged.sort()).toEqual([layer.digest, lost].sort());
    expect(scrubbed.lost).toEqual([lost]);
    await settled(registry);
    expect((await readFile(pathOf(registry, layer.digest))).equals(layer.bytes)).toBe(true);
    const metrics = (await ask(registry.url, "/metrics")).body.toString();
    expect(metrics).toContain("waybill_registry_damaged_total 2");
    expect(metrics).toContain("waybill_registry_healed_total 1");
    expect(metrics).toContain("waybill_registry_damaged 1");
    expect(registry.log).toContainEqual(expect.objectContaining({ level: "error", event: "lost", digest: lost }));
  });
});

describe("a damaged manifest", () => {
  it.each(DAMAGES)("%s comes back from its upstream", async (_what, damage) => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    await pullImage(registry.url, NAME, "1.0");
    await damage(pathOf(registry, image.manifest.digest));
    for (const reference of ["1.0", image.manifest.digest])
      expect(await pullImage(registry.url, NAME, reference)).toBe(image.manifest.digest);
  });

  it.each(DAMAGES)("%s that was pushed is never served", async (_what, damage) => {
    const registry = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(registry.url, "team/api", image, "1.0");
    await damage(pathOf(registry, image.manifest.digest));
    expect((await ask(registry.url, "/v2/team/api/manifests/1.0")).status).toBe(404);
  });
});

describe("damaged records", () => {
  it.each(["_tags/1.0", "_manifests"])("in %s are no records: what they named is fetched again", async (place) => {
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url));
    const image = imageOf("a");
    upstream.hold("team/api", image, "1.0");
    await pullImage(registry.url, NAME, "1.0");
    const base = join(registry.folder, "repositories", "example.com", "team", "api");
    const file = place === "_manifests" ? join(base, place, ...image.manifest.digest.split(":")) : join(base, place);
    for (const spoilt of ["", "{", '{"digest":"x"}', "\0\0\0"]) {
      await writeFile(file, spoilt);
      expect(await pullImage(registry.url, NAME, "1.0")).toBe(image.manifest.digest);
    }
  });
});
