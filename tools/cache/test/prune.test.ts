// What goes and what stays, in a real registry.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BlobStore } from "@waybill/oci";
import { RegistryClient, anonymous, carryOut, planPush } from "@waybill/oci/registry";
import { startRegistry } from "../../testing/src/registry.ts";
import { putEntry } from "../src/entries.ts";
import { keepTag, pushImage } from "../src/images.ts";
import { carryOutPrune, listCache, planPrune, statsOf } from "../src/index.ts";
import { type Result, builtResult, lintResult, remoteOf } from "./support/results.ts";
import { hasZot, startZot } from "./support/zot.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-06-30T00:00:00Z");
const OPTIONS = { keepMs: 30 * DAY, keepPerImage: 1, now: NOW };

const REGISTRIES = [
  { name: "Distribution", start: startRegistry },
  ...((await hasZot()) ? [{ name: "zot", start: startZot }] : []),
];

let registry: { host: string; stop(): Promise<void> };
let client: RegistryClient;
let bytes: BlobStore;
let repository: string;
let number = 0;
beforeAll(async () => {
  bytes = new BlobStore(await mkdtemp(join(tmpdir(), "waybill-store-")));
});
afterAll(() => rm(bytes.root, { recursive: true }));
beforeEach(() => {
  repository = `team/prune-${++number}`;
});

const place = () => ({ repository, prefix: "nx-" });

/** A record of `project`, so many days old; its image goes with it. */
async function built(hash: string, project: string, days: number, result: Result): Promise<void> {
  const created = new Date(NOW - days * DAY).toISOString();
  const facts = { hash, project, target: "docker-build", created, image: result.record.digest };
  await pushImage(client, repository, result.record, bytes, { progress: () => {} });
  await putEntry(client, place(), facts, result.tarball, { key: undefined, replace: false });
}

async function linted(hash: string, project: string, days: number): Promise<void> {
  const facts = { hash, project, target: "lint", created: new Date(NOW - days * DAY).toISOString() };
  await putEntry(client, place(), facts, lintResult(), { key: undefined, replace: false });
}

const prune = async (options = OPTIONS): Promise<void> => {
  const plan = async () => planPrune(await listCache(client, repository), options);
  await carryOutPrune(client, await plan(), await plan());
};

const hashes = async (): Promise<string[]> =>
  (await client.listTags(repository)).flatMap((tag) => /^nx-(.*)$/.exec(tag)?.[1] ?? []).sort();

const isWhole = async ({ record }: Result): Promise<boolean> => {
  const manifests = [record.digest, ...record.platforms.map(({ digest }) => digest)];
  const found = await Promise.all(manifests.map((digest) => client.headManifest(repository, digest)));
  return found.every((each) => each !== undefined);
};

describe.for(REGISTRIES)("pruning in $name", { timeout: 60_000 }, ({ start }) => {
  beforeAll(async () => {
    registry = await start();
    client = new RegistryClient(registry.host, { credentials: anonymous });
  });
  afterAll(() => registry.stop());

  it("keeps what is young, and the newest of each task of each project", async () => {
    const [old, older, young] = [
      await builtResult(bytes, "1"),
      await builtResult(bytes, "2"),
      await builtResult(bytes, "3"),
    ];
    await built("1", "api", 40, old);
    await built("2", "api", 50, older);
    await built("3", "web", 10, young);
    await linted("4", "api", 35);
    await linted("5", "api", 36);
    await prune();
    expect(await hashes()).toEqual(["1", "3", "4"]);
    expect([await isWhole(old), await isWhole(older), await isWhole(young)]).toEqual([true, false, true]);
  });

  it("keeps the image of a record that stays, whichever others named it", async () => {
    const image = await builtResult(bytes, "4");
    await built("1", "api", 400, image);
    await built("2", "api", 1, image);
    await prune({ ...OPTIONS, keepPerImage: 0 });
    expect(await hashes()).toEqual(["2"]);
    expect(await isWhole(image)).toBe(true);
    expect(await remoteOf(registry.host, bytes, { remoteCache: `${registry.host}/${repository}` }).get("2")).toEqual(
      image.tarball,
    );
  });

  it("keeps what somebody else has tagged, and all it needs", async () => {
    const image = await builtResult(bytes, "5");
    await built("1", "api", 400, image);
    await carryOut(client, bytes, await planPush(client, bytes, image.record.digest, repository, ["1.0.0"]));
    await prune({ ...OPTIONS, keepPerImage: 0 });
    expect(await hashes()).toEqual([]);
    expect(await isWhole(image)).toBe(true);
    expect((await client.headManifest(repository, "1.0.0"))?.digest).toBe(image.record.digest);
  });

  it("deletes nothing that came back meanwhile", async () => {
    const image = await builtResult(bytes, "6");
    await built("1", "api", 400, image);
    const before = planPrune(await listCache(client, repository), { ...OPTIONS, keepPerImage: 0 });
    expect(before.images.map(({ tag }) => tag)).toContain(keepTag(image.record.digest));
    await built("2", "api", 0, image);
    const after = planPrune(await listCache(client, repository), { ...OPTIONS, keepPerImage: 0 });
    await carryOutPrune(client, before, after);
    expect(await hashes()).toEqual(["2"]);
    expect(await isWhole(image)).toBe(true);
  });

  it("says so where the registry deletes nothing", async () => {
    const forbidding = await startRegistry({ immutable: true });
    const there = new RegistryClient(forbidding.host, { credentials: anonymous });
    const facts = { hash: "1", created: "2020-01-01T00:00:00Z" };
    await putEntry(there, place(), facts, lintResult(), { key: undefined, replace: false });
    const plan = planPrune(await listCache(there, repository), OPTIONS);
    expect(plan.entries.map(({ tag }) => tag)).toEqual(["nx-1"]);
    await expect(carryOutPrune(there, plan, plan)).rejects.toThrow(
      /^the registry does not let manifests be deleted, 127\.0\.0\.1:\d+\/team\/prune-\d+: set REGISTRY_STORAGE_DELETE/,
    );
    await forbidding.stop();
  });

  it("counts what there is", async () => {
    const image = await builtResult(bytes, "7");
    await built("1", "api", 3, image);
    await built("2", "api", 2, image);
    await linted("3", "api", 1);
    const sizes = new Map(
      image.record.platforms.flatMap(({ layers }) => layers.map(({ digest, size }) => [digest, size])),
    );
    const stats = statsOf(await listCache(client, repository));
    expect(stats).toMatchObject({ images: 1, oldest: "2026-06-27T00:00:00.000Z", newest: "2026-06-29T00:00:00.000Z" });
    expect(stats.targets.map(({ target, entries }) => [target, entries])).toEqual([
      ["docker-build", 2],
      ["lint", 1],
    ]);
    const layers = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    expect(stats.imageSize).toBeGreaterThan(layers);
    expect(stats.imageSize).toBeLessThan(layers + 2_000);
  });
});
