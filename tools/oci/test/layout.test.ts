import { lstat, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { digestOf, indexOf, Layout, MEDIA_TYPE, readIndex, splitDigest } from "@waybill/oci";
import { putImage, putManifest, temporaryFolder, temporaryStore } from "./fixtures.ts";

describe("a layout", () => {
  it("is a valid OCI layout from the start, and opening it again changes nothing", async () => {
    const folder = await temporaryFolder();
    await Layout.create(folder);
    await Layout.create(folder);
    expect(JSON.parse(await readFile(join(folder, "oci-layout"), "utf8"))).toEqual({ imageLayoutVersion: "1.0.0" });
    expect(JSON.parse(await readFile(join(folder, "index.json"), "utf8"))).toEqual({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.index,
      manifests: [],
    });
    expect((await readdir(folder)).sort()).toEqual(["blobs", "index.json", "oci-layout"]);
  });

  it("may share its blobs with all others on the machine", async () => {
    const store = await temporaryStore();
    const folder = await temporaryFolder();
    const layout = await Layout.create(folder, store);
    expect((await lstat(join(folder, "blobs"))).isSymbolicLink()).toBe(true);
    const { digest } = await layout.blobs.put("shared");
    expect(await store.has(digest, 6)).toBe(true);
    expect((await Layout.open(folder)).blobs.root).toBe(layout.blobs.root);
  });

  it("finds its store again after it was deleted or moved", async () => {
    const folder = await temporaryFolder();
    const lost = await temporaryStore();
    await Layout.create(folder, lost);
    await rm(lost.root, { recursive: true });
    await expect(Layout.open(folder)).rejects.toThrow(`not an OCI image layout (ENOENT), ${folder}/blobs: build`);
    const store = await temporaryStore();
    const layout = await Layout.create(folder, store);
    const { digest } = await layout.blobs.put("content");
    expect(await store.has(digest)).toBe(true);
  });

  it("names images, one a name", async () => {
    const layout = await Layout.create(await temporaryFolder());
    const [first, second] = [await putImage(layout.blobs, "a"), await putImage(layout.blobs, "b")];
    await layout.add(first, "latest");
    await layout.add(first, "old");
    await layout.add(second, "latest");
    expect((await layout.find("latest"))?.digest).toBe(second.digest);
    expect((await layout.find("old"))?.digest).toBe(first.digest);
    expect((await layout.readIndex()).manifests).toHaveLength(2);
    expect(await layout.find("new")).toBeUndefined();
  });

  it("is refused where there is none", async () => {
    const folder = await temporaryFolder();
    await expect(Layout.open(folder)).rejects.toThrow(`not an OCI image layout (ENOENT), ${folder}/oci-layout`);
    await writeFile(join(folder, "oci-layout"), '{"imageLayoutVersion":"2.0.0"}');
    await expect(Layout.open(folder)).rejects.toThrow(/imageLayoutVersion/);
  });
});

describe("the index of an image", () => {
  it("is the same for the same manifests, in any order and with any annotations", async () => {
    const store = await temporaryStore();
    const amd64 = await putManifest(store);
    const arm64 = await putManifest(store, { architecture: "arm64", variant: "v8" });
    const first = await indexOf(store, [amd64, arm64]);
    const platform = { os: "linux", architecture: "arm64", variant: "v8" };
    const second = await indexOf(store, [{ ...arm64, annotations: { "build.time": "now" }, platform }, amd64]);
    expect(second).toEqual(first);
    const { manifests } = await readIndex(store, first.digest);
    expect(manifests.map((entry) => entry.platform)).toEqual([{ os: "linux", architecture: "amd64" }, platform]);
  });

  it("is an index for a single platform too", async () => {
    const store = await temporaryStore();
    const { digest, mediaType } = await indexOf(store, [await putManifest(store)]);
    expect(mediaType).toBe(MEDIA_TYPE.index);
    expect((await readIndex(store, digest)).manifests).toHaveLength(1);
  });

  it("refuses two images for one platform", async () => {
    const store = await temporaryStore();
    const twice = [await putManifest(store, {}, "a"), await putManifest(store, {}, "b")];
    await expect(indexOf(store, twice)).rejects.toThrow("two manifests for linux/amd64");
  });

  it("is refused where it could be read as a manifest too", async () => {
    const store = await temporaryStore();
    const { digest } = await store.put(JSON.stringify({ schemaVersion: 2, manifests: [], layers: [] }));
    await expect(readIndex(store, digest)).rejects.toThrow(/or both at once/);
  });
});

describe("the store", () => {
  it("takes a stream under its digest, or nothing at all", async () => {
    const store = await temporaryStore();
    const digest = digestOf("content");
    await expect(store.write(digest, Readable.from([Buffer.from("cont")]), 7)).rejects.toThrow(/expected 7 bytes/);
    await expect(store.write(digest, Readable.from([Buffer.from("CONTENT")]), 7)).rejects.toThrow(/but the content is/);
    expect(await readdir(join(store.root, "blobs", "sha256"))).toEqual([]);
    await store.write(digest, Readable.from([Buffer.from("con"), Buffer.from("tent")]), 7);
    expect(await readdir(join(store.root, "blobs", "sha256"))).toEqual([splitDigest(digest).hex]);
    expect((await store.read(digest)).toString()).toBe("content");
  });

  it("notices a flipped bit", async () => {
    const store = await temporaryStore();
    const { digest } = await store.put("content");
    await store.verify(digest);
    await writeFile(store.path(digest), "contenT");
    await expect(store.verify(digest)).rejects.toThrow(/is damaged on the disk.*: delete the file/);
    await expect(store.read(digest)).rejects.toThrow(/is damaged on the disk/);
    expect(await store.has(digest, 7)).toBe(true);
    expect(await store.has(digest, 8)).toBe(false);
  });

  it("says what is missing, and where it was looked for", async () => {
    const store = await temporaryStore();
    const digest = digestOf("nothing");
    await expect(store.read(digest)).rejects.toThrow(`${digest} is not in the store, ${store.path(digest)}: build`);
    await expect(store.verify(digest)).rejects.toThrow("is not in the store");
  });
});
