import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import {
  BlobStore,
  type Descriptor,
  type Digest,
  MEDIA_TYPE,
  digestOf,
  layersByDiffId,
  normaliseImage,
  readConfig,
  readManifest,
  readTree,
} from "../src/index.ts";
import { ClampTimes } from "../src/clamp.ts";

const root = mkdtempSync(join(tmpdir(), "waybill-normalise-"));
afterAll(() => rm(root, { recursive: true, force: true }));
let count = 0;
const newStore = (): BlobStore => new BlobStore(join(root, `store-${(count += 1)}`));

/** A tar of a small tree, as GNU tar writes it at a moment, in a format. */
function tarAt(moment: string, format: "pax" | "gnu" | "ustar", long = false): Buffer {
  const folder = join(root, `tree-${(count += 1)}`);
  mkdirSync(join(folder, "folder"), { recursive: true });
  writeFileSync(join(folder, "folder", long ? "n".repeat(180) : "file"), "content".repeat(1000));
  writeFileSync(join(folder, "empty"), "");
  const args = ["--create", `--format=${format}`, `--mtime=${moment}`, "--sort=name", "--owner=0", "--group=0"];
  return execFileSync("tar", [...args, "--directory", folder, "."], { maxBuffer: 1e8 });
}

async function clamp(tar: Buffer, chunk = tar.length): Promise<Buffer> {
  const parts: Buffer[] = [];
  const chunks = function* (): Generator<Buffer> {
    for (let at = 0; at < tar.length; at += chunk) yield tar.subarray(at, at + chunk);
  };
  await pipeline(Readable.from(chunks()), new ClampTimes(), async (clamped: AsyncIterable<Buffer>) => {
    for await (const part of clamped) parts.push(part);
  });
  return Buffer.concat(parts);
}

describe("taking the time out of a tar", () => {
  for (const format of ["pax", "gnu", "ustar"] as const) {
    it(`gives the same ${format} tar for two moments, which tar still reads`, async () => {
      const one = await clamp(tarAt("2020-01-02 03:04:05.123456789 UTC", format));
      const other = await clamp(tarAt("2026-11-21 15:00:00.987654321 UTC", format));
      expect(one.equals(other)).toBe(true);
      const listing = execFileSync("tar", ["--list", "--verbose", "--utc", "--full-time"], { input: one }).toString();
      expect(listing.match(/1970-01-01 00:00:00/g)).toHaveLength(4);
      expect(listing).toContain("./folder/file");
    });
  }

  it("keeps long names, which pax keeps in the same header as times", async () => {
    const clamped = await clamp(tarAt("2020-01-02 03:04:05.5 UTC", "pax", true));
    expect(execFileSync("tar", ["--list"], { input: clamped }).toString()).toContain("n".repeat(180));
  });

  it("gives the same bytes however the stream is cut", async () => {
    const tar = tarAt("2020-01-02 03:04:05.5 UTC", "pax", true);
    const whole = await clamp(tar);
    for (const size of [1, 7, 511, 512, 513, 4096]) expect((await clamp(tar, size)).equals(whole)).toBe(true);
  });

  it("refuses a tar that ends in the middle", async () => {
    const tar = tarAt("2020-01-02 UTC", "ustar");
    await expect(clamp(tar.subarray(0, 512 + 700))).rejects.toThrow(/ends in the middle/);
  });
});

/** An image of these layers as an engine writes one. */
async function imageOf(store: BlobStore, layers: Buffer[], moment: string, packed: boolean): Promise<Digest> {
  const descriptors: Descriptor[] = [];
  for (const tar of layers) {
    const mediaType = packed ? MEDIA_TYPE.layerGzip : MEDIA_TYPE.layer;
    descriptors.push({ mediaType, ...(await store.put(packed ? gzipSync(tar) : tar)) });
  }
  const config = await store.put(
    JSON.stringify({
      created: moment,
      architecture: "amd64",
      os: "linux",
      config: { Shell: ["/bin/bash", "-c"], OnBuild: ["RUN true"] },
      rootfs: { type: "layers", diff_ids: layers.map((tar) => digestOf(tar)) },
      history: layers.map((_, index) => ({ created: moment, created_by: `step ${index}` })),
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.manifest,
    config: { mediaType: MEDIA_TYPE.config, ...config },
    layers: descriptors,
  };
  return (await store.put(JSON.stringify(manifest))).digest;
}

const NOTHING = new Map<Digest, Descriptor>();

describe("normalising an image", () => {
  it("gives one digest to what was built at two moments, and packed in two ways", async () => {
    const one = newStore();
    const other = newStore();
    const target = newStore();
    const built = [
      await imageOf(one, [tarAt("2020-01-02 UTC", "pax")], "2020-01-02T00:00:00Z", false),
      await imageOf(other, [tarAt("2026-11-21 15:00:00.5 UTC", "pax")], "2026-11-21T15:00:00Z", true),
    ] as const;
    const first = await normaliseImage(one, target, built[0], { compression: "small", inherited: NOTHING });
    const again = await normaliseImage(other, target, built[1], { compression: "small", inherited: NOTHING });
    expect(again).toEqual(first);
  });

  it("leaves an image whose digests hold, with what it knows nothing about kept", async () => {
    const source = newStore();
    const target = newStore();
    const built = await imageOf(source, [tarAt("2020-01-02 UTC", "gnu")], "2020-01-02T00:00:00Z", false);
    for (const compression of ["small", "fast", "gzip"] as const) {
      const { digest } = await normaliseImage(source, target, built, { compression, inherited: NOTHING });
      const { config, layers } = await readManifest(target, digest);
      for (const blob of [config, ...layers]) await target.verify(blob.digest);
      expect([...(await readTree(target, layers)).keys()]).toContain("folder/file");
      const { created, history, rootfs } = await readConfig(target, config.digest);
      expect([created, history?.[0]?.created, rootfs.diff_ids?.length]).toEqual([
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        1,
      ]);
      expect(JSON.parse((await target.read(config.digest)).toString()).config).toMatchObject({ OnBuild: ["RUN true"] });
    }
  });

  it("takes a base's layers over as the base has them, however the engine gives them back", async () => {
    const target = newStore();
    const engine = newStore();
    const lower = tarAt("2020-01-02 UTC", "pax");
    const base = await normaliseImage(engine, target, await imageOf(engine, [lower], "2020-01-02T00:00:00Z", false), {
      compression: "gzip",
      inherited: NOTHING,
    });
    const inherited = await layersByDiffId(target, base.digest, "linux/amd64");
    const clamped = await clamp(lower);
    const child = await imageOf(engine, [clamped, tarAt("2026-01-02 UTC", "ustar")], "2026-01-02T00:00:00Z", false);
    const { digest } = await normaliseImage(engine, target, child, { compression: "fast", inherited });
    const { layers } = await readManifest(target, digest);
    expect(layers[0]).toEqual((await readManifest(target, base.digest)).layers[0]);
    expect(layers.map(({ mediaType }) => mediaType)).toEqual([MEDIA_TYPE.layerGzip, MEDIA_TYPE.layerZstd]);
  });

  it("makes a layer again that was noted and is gone", async () => {
    const source = newStore();
    const target = newStore();
    const built = await imageOf(source, [tarAt("2020-01-02 UTC", "pax")], "2020-01-02T00:00:00Z", false);
    const options = { compression: "fast", inherited: NOTHING } as const;
    const first = await normaliseImage(source, target, built, options);
    const layer = (await readManifest(target, first.digest)).layers[0] as Descriptor;
    await rm(target.path(layer.digest));
    expect(await normaliseImage(source, target, built, options)).toEqual(first);
    await target.verify(layer.digest);
  });
});
