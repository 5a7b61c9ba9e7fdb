import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { digestOf, indexOf, readRecord, recordOf, serialiseRecord, splitDigest, writeRecord } from "@waybill/oci";
import type { BlobStore } from "@waybill/oci";
import { RECORD_SCHEMA_FILE, recordJsonSchema } from "../src/schema.ts";
import { putImage, putManifest, temporaryFolder, temporaryStore } from "./fixtures.ts";

async function recordOfOnePlatform(store: BlobStore, changes = {}) {
  const { digest } = await indexOf(store, [await putManifest(store, changes)]);
  return (await recordOf(store, digest, { name: "api" })).platforms[0]!;
}

describe("the record of an image", () => {
  it("tells what runs and what it weighs", async () => {
    const store = await temporaryStore();
    const { digest } = await putImage(store);
    const record = await recordOf(store, digest, { name: "api" });
    expect(record).toMatchObject({ schemaVersion: 1, name: "api", digest, bases: [], buildArgs: {}, variants: {} });
    expect(record.platforms.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
    const amd64 = record.platforms[0]!;
    expect(amd64).toMatchObject({
      user: "65532",
      entrypoint: ["/api"],
      cmd: [],
      healthcheck: ["CMD", "/api", "health"],
    });
    expect(amd64.exposedPorts).toEqual(["80/tcp", "8080/tcp", "9090/tcp"]);
    expect(amd64.unpackedSize).toBe(30_000);
    expect(amd64.size).toBe(amd64.layers[0]!.size + amd64.layers[1]!.size);
  });

  it("names the step that made each layer, past the steps that made none", async () => {
    const { layers } = await recordOfOnePlatform(await temporaryStore());
    expect(layers.map(({ createdBy, unpackedSize }) => [createdBy, unpackedSize])).toEqual([
      ["COPY base", 10_000],
      ["COPY api", 20_000],
    ]);
  });

  it("names no step where history and layers disagree", async () => {
    const { layers } = await recordOfOnePlatform(await temporaryStore(), { history: [{ created_by: "squashed" }] });
    expect(layers.map(({ createdBy }) => createdBy)).toEqual(["", ""]);
  });

  it("is the same bytes from another store, whatever the order of the facts", async () => {
    const texts = [];
    for (const order of [1, -1]) {
      const store = await temporaryStore();
      const { digest } = await putImage(store);
      const bases = ["waybill/static", "waybill/debian"].map((reference) => ({
        reference,
        digest: digestOf(reference),
      }));
      const buildArgs = Object.fromEntries(Object.entries({ B: "2", A: "1" }).toSorted(() => order));
      const facts = {
        name: "api",
        bases: order === 1 ? bases : bases.toReversed(),
        buildArgs,
        variants: { debug: digest },
      };
      texts.push(serialiseRecord(await recordOf(store, digest, facts)));
    }
    expect(texts[0]).toBe(texts[1]);
    expect(texts[0]).not.toMatch(/tmp|created"|\d{4}-\d\d-\d\d/);
  });

  it("survives being written and read", async () => {
    const store = await temporaryStore();
    const file = join(await temporaryFolder(), "dist", "image.json");
    const record = await recordOf(store, (await putImage(store)).digest, { name: "api" });
    await writeRecord(file, record);
    expect(await readRecord(file)).toEqual(record);
    expect(await readFile(file, "utf8")).toMatch(/^\{\n {2}"schemaVersion": 1,\n {2}"name": "api",[^]*\}\n$/);
  });

  it.each([
    ["{", /^not valid JSON at line 1 column 2, .*image\.json: run the image's docker-build target$/],
    ['{"schemaVersion": 2}', /schemaVersion.*name.*digest.*, .*image\.json: run the image's docker-build target$/],
  ])("refuses %s with the file and the mend", async (text, message) => {
    const file = join(await temporaryFolder(), "image.json");
    await writeFile(file, text);
    await expect(readRecord(file)).rejects.toThrow(message);
  });

  it("says which file is missing", async () => {
    await expect(readRecord("/nowhere/image.json")).rejects.toThrow(
      /^no image record \(ENOENT\), \/nowhere\/image\.json: run/,
    );
  });
});

describe("the unpacked size of a layer", () => {
  it("is found once and then remembered in the store", async () => {
    const store = await temporaryStore();
    const { layers } = await recordOfOnePlatform(store);
    const { digest } = layers[0]!;
    const file = join(store.root, "meta", "sha256", `${splitDigest(digest).hex}.json`);
    expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ unpackedSize: 10_000 });
    await writeFile(file, '{"unpackedSize":7}');
    expect((await recordOfOnePlatform(store)).layers[0]!.unpackedSize).toBe(7);
    await writeFile(file, "spoilt");
    expect((await recordOfOnePlatform(store)).layers[0]!.unpackedSize).toBe(10_000);
  });

  it("is refused for a layer that is damaged or gone", async () => {
    const store = await temporaryStore();
    const { digest } = await indexOf(store, [await putManifest(store)]);
    const manifest = JSON.parse(
      (await store.read((await recordOf(store, digest, { name: "a" })).platforms[0]!.digest)).toString(),
    );
    const layer = manifest.layers[1];
    await writeFile(store.metaPath(layer.digest), "");
    await writeFile(store.path(layer.digest), Buffer.alloc(layer.size));
    await expect(recordOf(store, digest, { name: "a" })).rejects.toThrow(/layer can't be read.*sha256/);
    await writeFile(store.path(layer.digest), Buffer.alloc(layer.size - 1));
    await expect(recordOf(store, digest, { name: "a" })).rejects.toThrow(
      /missing or cut short.*: build the image again/,
    );
  });
});

it("the published JSON Schema is what the code checks (else: npx node tools/oci/src/schema.ts)", async () => {
  // As data: the formatter has its own idea of white space.
  expect(JSON.parse(await readFile(RECORD_SCHEMA_FILE, "utf8"))).toEqual(JSON.parse(recordJsonSchema()));
});
