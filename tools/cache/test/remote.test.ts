// Entries and images in a real registry.

import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type BlobStore, digestOf } from "@waybill/oci";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { temporaryStore } from "../../oci/test/fixtures.ts";
import { startRegistry } from "../../testing/src/registry.ts";
import { until } from "../../testing/src/until.ts";
import { builtResult, lintResult, remoteOf, store } from "./support/results.ts";
import { hasZot, startZot } from "./support/zot.ts";

const REPOSITORY = "team/nx-cache";

const REGISTRIES = [
  { name: "Distribution", start: startRegistry, isZot: false },
  ...((await hasZot()) ? [{ name: "zot", start: startZot, isZot: true }] : []),
];

describe.for(REGISTRIES)("the remote cache in $name", { timeout: 60_000 }, ({ start, isZot }) => {
  let registry: { host: string; stop(): Promise<void> };
  let client: RegistryClient;
  let here: BlobStore;
  beforeAll(async () => {
    registry = await start();
    client = new RegistryClient(registry.host, { credentials: anonymous });
  });
  afterAll(() => registry.stop());
  beforeEach(async () => {
    here = await temporaryStore();
  });

  const machine = async () => remoteOf(registry.host, await temporaryStore());

  it("has nothing at first, and says so", async () => {
    const remote = await machine();
    expect(await remote.get("1")).toBeUndefined();
    expect(remote.fault).toBeUndefined();
  });

  it("gives another machine what this one stored, byte for byte", async () => {
    const tarball = lintResult();
    await store(remoteOf(registry.host, here), "2", tarball);
    const other = await machine();
    expect(await other.get("2")).toEqual(tarball);
    expect(other.fault).toBeUndefined();
  });

  it("stores an image before its record, each manifest of it under a tag", async () => {
    const { record, tarball } = await builtResult(here, "b");
    await store(remoteOf(registry.host, here), "3", tarball);
    const tags = await client.listTags(REPOSITORY);
    const manifests = [record.digest, ...record.platforms.map(({ digest }) => digest)];
    expect(tags).toEqual(expect.arrayContaining(manifests.map((digest) => `keep-${digest.replace(":", "-")}`)));
    for (const digest of manifests) expect(await client.headManifest(REPOSITORY, digest)).toBeDefined();
    const other = await machine();
    expect(await other.get("3")).toEqual(tarball);
  });

  it("stores no record whose image can't be sent", async () => {
    const { record, tarball } = await builtResult(here, "c");
    await rm(here.path(record.platforms[0]!.layers[0]!.digest));
    const remote = remoteOf(registry.host, here);
    await store(remote, "4", tarball);
    expect(remote.fault).toMatch(/^nothing is stored in this run: .* is missing or cut short/);
    expect(await (await machine()).get("4")).toBeUndefined();
  });

  it("is a miss once the image is gone, or one platform of it", async () => {
    const cases = [
      ["d", "5"],
      ["e", "6"],
    ] as const;
    // zot deletes no manifest that an index names.
    for (const [seed, hash] of isZot ? cases.slice(0, 1) : cases) {
      const { record, tarball } = await builtResult(here, seed);
      await store(remoteOf(registry.host, here), hash, tarball);
      const gone = seed === "d" ? record.digest : record.platforms[1]!.digest;
      expect(await (await machine()).get(hash)).toEqual(tarball);
      await client.deleteManifest(REPOSITORY, gone);
      const other = await machine();
      expect(await other.get(hash)).toBeUndefined();
      expect(await other.has(record)).toBe(false);
      expect(other.fault).toBeUndefined();
    }
  });

  it("is mended by the run that builds the image again", async () => {
    const { record, tarball } = await builtResult(here, "f");
    await store(remoteOf(registry.host, here), "7", tarball);
    await client.deleteManifest(REPOSITORY, record.digest);
    const builder = remoteOf(registry.host, here);
    expect(await builder.get("7")).toBeUndefined();
    await store(builder, "7", tarball);
    expect(await (await machine()).get("7")).toEqual(tarball);
  });

  it("keeps what was written first", async () => {
    const { tarball } = await builtResult(here, "g");
    await store(remoteOf(registry.host, here), "8", tarball);
    await store(remoteOf(registry.host, here), "8", lintResult());
    expect(await (await machine()).get("8")).toEqual(tarball);
  });

  it("fetches an image whole, all of its platforms", async () => {
    const { record, tarball } = await builtResult(here, "h");
    await store(remoteOf(registry.host, here), "9", tarball);
    const there = await temporaryStore();
    const other = remoteOf(registry.host, there);
    expect(await other.has(record)).toBe(true);
    expect(await other.fetch(record)).toBe(true);
    for (const { digest, config, layers } of record.platforms) {
      for (const each of [digest, config, ...layers.map((layer) => layer.digest)]) await there.verify(each);
    }
    await there.verify(record.digest);
  });

  it("sends a layer that images share once", async () => {
    const first = await builtResult(here, "i");
    await store(remoteOf(registry.host, here), "10", first.tarball);
    const digests = first.record.platforms.flatMap(({ layers }) => layers.map(({ digest }) => digest));
    for (const digest of digests) expect(await client.blobs.has(REPOSITORY, digest)).toBe(true);
    // zot says yes for a blob of any repository, and links it there.
    expect(await client.blobs.has(`${REPOSITORY}-untrusted`, digests[0]!)).toBe(isZot);
  });

  it("tells in annotations what an entry is of", async () => {
    const { record, tarball } = await builtResult(here, "j");
    const describe = async () => ({ project: "api", target: "docker-build", revision: "0123abcd" });
    await store(remoteOf(registry.host, here, { describe }), "11", tarball);
    const manifest = await client.getManifest(REPOSITORY, "nx-11");
    const { artifactType, annotations } = JSON.parse(manifest!.bytes.toString("utf8")) as Record<string, unknown>;
    expect(artifactType).toBe("application/vnd.waybill.nx-cache.entry.v1");
    expect(annotations).toEqual({
      "dev.waybill.cache.hash": "11",
      "dev.waybill.cache.image": record.digest,
      "dev.waybill.cache.project": "api",
      "dev.waybill.cache.target": "docker-build",
      "org.opencontainers.image.created": expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      "org.opencontainers.image.revision": "0123abcd",
    });
  });

  it("takes an entry that is too large for a manifest as a blob", async () => {
    const { randomBytes } = await import("node:crypto");
    const { packed } = await import("./support/results.ts");
    const tarball = packed({ path: "images/api/dist/report.bin", content: randomBytes(300_000) });
    await store(remoteOf(registry.host, here), "12", tarball);
    expect((await client.headManifest(REPOSITORY, "nx-12"))!.size).toBeLessThan(2_000);
    expect(await (await machine()).get("12")).toEqual(tarball);
  });

  it.runIf(isZot)("loses nothing to a GC that deletes what has no tag", { timeout: 120_000 }, async () => {
    const { record, tarball } = await builtResult(here, "k");
    await store(remoteOf(registry.host, here), "13", tarball);
    const bytes = Buffer.from("named by nothing");
    const orphan = { digest: digestOf(bytes), size: bytes.length, open: () => Readable.from([bytes]) };
    expect(await client.blobs.upload(REPOSITORY, orphan)).toBe("uploaded");
    await until("zot's GC", async () => !(await client.blobs.has(REPOSITORY, orphan.digest)));
    const other = remoteOf(registry.host, await temporaryStore());
    expect(await other.get("13")).toEqual(tarball);
    expect(await other.fetch(record)).toBe(true);
  });
});
