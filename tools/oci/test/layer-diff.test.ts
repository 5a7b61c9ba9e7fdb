import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { MEDIA_TYPE, diffLayer } from "../src/index.ts";
import { temporaryStore } from "./fixtures.ts";
import { type TarEntry, tarOf } from "./tar-of.ts";

async function diff(before: TarEntry[], after: TarEntry[]) {
  const store = await temporaryStore();
  const [one, other] = [await store.put(gzipSync(tarOf(before))), await store.put(zstdCompressSync(tarOf(after)))];
  return await diffLayer(
    store,
    { ...one, mediaType: MEDIA_TYPE.layerGzip },
    { ...other, mediaType: MEDIA_TYPE.layerZstd },
  );
}

const FILE: TarEntry = { path: "usr/bin/su", mode: 0o755, uid: 1, gid: 2, mtime: 0, content: "abc" };

test.each<[string, Partial<TarEntry>, string[]]>([
  ["mode", { mode: 0o4755 }, ["mode 755 -> 4755"]],
  ["owner", { uid: 65532, gid: 65532 }, ["owner 1:2 -> 65532:65532"]],
  ["time", { mtime: 1_700_000_000 }, ["time 1970-01-01T00:00:00Z -> 2023-11-14T22:13:20Z"]],
  ["content of the same size", { content: "abd" }, ["content"]],
  ["size", { content: "abcd" }, ["size 3 B -> 4 B", "content"]],
  [
    "type",
    { content: "", symlink: "busybox" },
    ["type file -> symlink", "size 3 B -> 0 B", "link  -> busybox", "content"],
  ],
])("another %s is told", async (_what, change, what) => {
  expect(await diff([FILE], [{ ...FILE, ...change }])).toEqual([{ path: "usr/bin/su", change: "changed", what }]);
});

test("a link that points elsewhere is told", async () => {
  const link = { path: "sh", symlink: "dash" };
  expect(await diff([link], [{ ...link, symlink: "bash" }])).toEqual([
    { path: "sh", change: "changed", what: ["link dash -> bash"] },
  ]);
});

test("what came and went is told, whiteouts too", async () => {
  const changes = await diff([FILE, { path: "old" }], [FILE, { path: "etc/.wh.passwd" }]);
  expect(changes).toEqual([
    { path: "old", change: "removed", what: [] },
    { path: "etc/.wh.passwd", change: "added", what: [] },
  ]);
});

test("another order is told by the first file that stands elsewhere", async () => {
  const [a, b, c] = [{ path: "a" }, { path: "b" }, { path: "c" }];
  expect(await diff([a, b, c], [a, c, b])).toEqual([
    { path: "b", change: "changed", what: ["order: c stands in its place"] },
  ]);
});

test("the same files, packed by another compressor, are no difference", async () => {
  expect(await diff([FILE, { path: "etc/" }], [FILE, { path: "etc/" }])).toEqual([]);
});
