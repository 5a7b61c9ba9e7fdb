import { gzipSync, zstdCompressSync } from "node:zlib";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { BlobStore, MEDIA_TYPE, readTree } from "../src/index.ts";
import type { TreeOptions } from "../src/index.ts";
import { tarOf } from "./tar-of.ts";
import type { TarEntry } from "./tar-of.ts";

type Packed = "layer" | "layerGzip" | "layerZstd";

async function temporaryStore(): Promise<BlobStore> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-tree-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return new BlobStore(folder);
}

async function tree(layers: TarEntry[][], options: TreeOptions = {}, packed: Packed = "layer") {
  const store = await temporaryStore();
  const pack = { layer: (tar: Buffer) => tar, layerGzip: gzipSync, layerZstd: zstdCompressSync }[packed];
  const blobs = await Promise.all(layers.map((entries) => store.put(pack(tarOf(entries)))));
  return await readTree(
    store,
    blobs.map((blob) => ({ ...blob, mediaType: MEDIA_TYPE[packed] })),
    options,
  );
}

test.each<Packed>(["layer", "layerGzip", "layerZstd"])(
  "a file has its attributes and first bytes (%s)",
  async (packed) => {
    const content = "x".repeat(100_000);
    const found = await tree(
      [[{ path: "./usr/bin/su", mode: 0o4755, uid: 7, gid: 8, mtime: 9, content }]],
      { headBytes: 4, hash: true },
      packed,
    );
    expect(found.get("usr/bin/su")).toEqual({
      path: "usr/bin/su",
      type: "file",
      mode: 0o4755,
      uid: 7,
      gid: 8,
      mtime: 9,
      size: 100_000,
      layer: 0,
      head: Buffer.from("xxxx"),
      sha256: "d69e68988157833272305aaf21f453c800346e8a3640db6578e260215542e5d4",
    });
  },
);

test("links tell where they point, and a hardlink has what its target has", async () => {
  const found = await tree([
    [
      { path: "a", content: "hello", mode: 0o4711 },
      { path: "b", hardlink: "./a" },
      { path: "c", symlink: "../a" },
    ],
  ]);
  expect(found.get("b")).toMatchObject({
    type: "hardlink",
    link: "a",
    mode: 0o4711,
    size: 5,
    head: Buffer.from("hello"),
  });
  expect(found.get("c")).toMatchObject({ type: "symlink", link: "../a", size: 0 });
});

test("a whiteout removes what is below it, wherever it stands in the tar, and nothing of its own layer", async () => {
  const lower = [
    { path: "d/" },
    { path: "d/old", content: "1" },
    { path: "d/sub/x", content: "1" },
    { path: "e", content: "1" },
  ];
  const upper = [
    { path: "d/new", content: "2" },
    { path: "d/.wh.sub" },
    { path: "d/sub/y", content: "2" },
    { path: ".wh.e" },
    { path: ".wh.d2" },
  ];
  expect([...(await tree([lower, upper])).keys()]).toEqual(["d", "d/old", "d/new", "d/sub/y"]);
});

test("an opaque folder keeps only what its own layer puts there", async () => {
  const lower = [{ path: "d/" }, { path: "d/old", content: "1" }, { path: "dd/x", content: "1" }];
  const upper = [{ path: "d/.wh..wh..opq" }, { path: "d/" }, { path: "d/new", content: "2" }];
  expect([...(await tree([lower, upper])).keys()].toSorted()).toEqual(["d", "d/new", "dd/x"]);
});

test("a file in place of a folder ends what lay in it; a folder over a folder keeps it", async () => {
  const lower = [
    { path: "d/" },
    { path: "d/x", content: "1" },
    { path: "k/", mode: 0o755 },
    { path: "k/x", content: "1" },
  ];
  const upper = [
    { path: "d", symlink: "k" },
    { path: "k/", mode: 0o700 },
  ];
  const found = await tree([lower, upper]);
  expect([...found.keys()].toSorted()).toEqual(["d", "k", "k/x"]);
  expect(found.get("k")).toMatchObject({ mode: 0o700, layer: 1 });
});

test("hidden entries are still seen on request", async () => {
  const seen: string[] = [];
  await tree([[{ path: "secret", content: "s" }], [{ path: ".wh.secret" }]], {
    onEntry: ({ layer, path }) => seen.push(`${layer}:${path}`),
  });
  expect(seen).toEqual(["0:secret"]);
});

test("a layer without entries is empty, and hides nothing", async () =>
  expect([...(await tree([[{ path: "a" }], []])).keys()]).toEqual(["a"]));

test("long names and names beyond ASCII come through", async () => {
  const long = `${"d".repeat(90)}/${"ü".repeat(60)}`;
  expect([...(await tree([[{ path: long, content: "x" }]])).keys()]).toEqual([long]);
});

test.each([
  ["cut off", (tar: Buffer) => tar.subarray(0, 700)],
  ["no tar", (tar: Buffer) => Buffer.alloc(tar.length, "x")],
])("a layer that is %s is told as one line", async (_, spoil) => {
  const store = await temporaryStore();
  const blob = await store.put(spoil(tarOf([{ path: "a", content: "x".repeat(2000) }])));
  await expect(readTree(store, [{ ...blob, mediaType: MEDIA_TYPE.layer }])).rejects.toThrow(
    /^layer can't be read \(.*\), .*: delete the file/,
  );
});
