import { expect, test } from "vitest";
import { type ImageDiff, diffImages, formatMarkdown, formatText } from "../src/index.ts";
import { compareVersions } from "../src/diff/version.ts";
import { type Step, imageOf, temporaryStore } from "./image.ts";

const BASE: Step = { createdBy: "COPY /rootfs /", entries: [{ path: "etc/os-release", content: "trixie" }] };
const deb = (name: string, version: string, kib = 100) => ({
  path: `var/lib/dpkg/status.d/${name}`,
  content: `Package: ${name}\nVersion: ${version}\nInstalled-Size: ${kib}\n`,
});

async function diffOf(
  from: Step[],
  to: Step[],
  configs: [object, object] = [{}, {}],
): Promise<ImageDiff["platforms"][number]> {
  const store = await temporaryStore();
  const before = await imageOf(store, from, configs[0]);
  const after = await imageOf(store, to, configs[1]);
  const { platforms } = await diffImages(store, "example", before, after);
  return platforms[0] as ImageDiff["platforms"][number];
}

test("packages that came, went and moved, the largest change first", async () => {
  const { packages } = await diffOf(
    [BASE, { createdBy: "COPY packages", entries: [deb("curl", "8.14"), deb("jq", "1.7"), deb("same", "1")] }],
    [
      BASE,
      { createdBy: "COPY packages", entries: [deb("curl", "8.9", 150), deb("tini", "0.19", 300), deb("same", "1")] },
    ],
  );
  expect(packages.map(({ name, change, size }) => [name, change, size])).toEqual([
    ["tini", "added", 300 * 1024],
    ["jq", "removed", -100 * 1024],
    ["curl", "downgraded", 50 * 1024],
  ]);
});

test("the layer that grew is told by its step; one that is the same is not told", async () => {
  const app = (bytes: number): Step => ({
    createdBy: "COPY app",
    entries: [{ path: "app", content: "x".repeat(bytes) }],
  });
  const { layers } = await diffOf([BASE, app(1_000)], [BASE, app(90_000), { createdBy: "RUN new", entries: [] }]);
  expect(layers.map(({ createdBy, from }) => [createdBy, from !== undefined])).toEqual([
    ["COPY app", true],
    ["RUN new", false],
  ]);
  const [grown] = layers;
  expect((grown?.to?.unpackedSize ?? 0) - (grown?.from?.unpackedSize ?? 0)).toBeGreaterThan(80_000);
});

test("config: user, program, environment and ports", async () => {
  const { config } = await diffOf(
    [BASE],
    [BASE],
    [
      { User: "65532", Entrypoint: ["/app"], Env: ["PATH=/bin", "DEBUG=1"], ExposedPorts: { "80/tcp": {} } },
      { User: "0", Entrypoint: ["/app"], Env: ["PATH=/bin", "MODE=a=b"], ExposedPorts: { "8080/tcp": {} } },
    ],
  );
  expect(config).toEqual([
    { field: "user", from: "65532", to: "0" },
    { field: "port 80/tcp", from: "exposed" },
    { field: "env DEBUG", from: "1" },
    { field: "port 8080/tcp", to: "exposed" },
    { field: "env MODE", to: "a=b" },
  ]);
});

test("files: content, rights, owners, links and kinds; times don't count", async () => {
  const step = (entries: Step["entries"]): Step => ({ createdBy: "COPY", entries });
  const { files } = await diffOf(
    [
      step([
        { path: "a", content: "old", mtime: 1 },
        { path: "b", content: "x", mode: 0o755 },
        { path: "c", content: "x", uid: 0 },
        { path: "d", symlink: "a" },
        { path: "e", content: "x" },
        { path: "gone", content: "xyz" },
        { path: "same", content: "x", mtime: 1 },
      ]),
    ],
    [
      step([
        { path: "a", content: "new", mtime: 2 },
        { path: "b", content: "x", mode: 0o4755 },
        { path: "c", content: "x", uid: 7 },
        { path: "d", symlink: "b" },
        { path: "e", symlink: "a" },
        { path: "new", content: "xyzu" },
        { path: "same", content: "x", mtime: 2 },
      ]),
    ],
  );
  expect(files.map(({ path, change, what }) => [path, change, ...what])).toEqual([
    ["new", "added"],
    ["gone", "removed"],
    ["e", "changed", "type file -> symlink"],
    ["a", "changed", "content"],
    ["b", "changed", "mode 755 -> 4755"],
    ["c", "changed", "owner 0:0 -> 7:0"],
    ["d", "changed", "link a -> b"],
  ]);
});

test("an image that is new, one that is gone and one that is the same", async () => {
  const store = await temporaryStore();
  const image = await imageOf(store, [BASE]);
  const fresh = await diffImages(store, "fresh", undefined, image);
  const gone = await diffImages(store, "gone", image, undefined);
  const same = await diffImages(store, "same", image, image);
  expect(fresh.platforms[0]).toMatchObject({ platform: "linux/amd64", to: { size: image.platforms[0]?.size } });
  expect(gone.platforms[0]).toHaveProperty("from");
  expect(same.platforms).toEqual([]);
  const text = formatText([fresh, gone, same]);
  expect(text).toContain("fresh  new, ");
  expect(text).toContain("-> gone");
  expect(text).toContain("1 image unchanged");
});

test("what an image calls its files can't reach the terminal or the comment as control or markup", async () => {
  const store = await temporaryStore();
  const before = await imageOf(store, [BASE]);
  const evil = "x\u001b[31m`|<script>";
  const after = await imageOf(store, [BASE, { createdBy: "COPY", entries: [{ path: evil, content: "x" }] }]);
  const diffs = [await diffImages(store, "example", before, after)];
  expect(formatText(diffs)).not.toContain("\u001b");
  const comment = formatMarkdown(diffs);
  expect(comment).not.toContain("\u001b");
  expect(comment).toContain("`` /x?[31m`|<script> added ``");
});

test("the comment has a row for each image, its budget, and can be found again", async () => {
  const store = await temporaryStore();
  const before = await imageOf(store, [BASE, { createdBy: "COPY", entries: [deb("curl", "8.14")] }]);
  const after = await imageOf(store, [BASE, { createdBy: "COPY", entries: [deb("curl", "8.15")] }]);
  const diffs = [await diffImages(store, "example", before, after)];
  const comment = formatMarkdown(diffs, { example: { unpacked: (after.platforms[0]?.unpackedSize ?? 0) * 2 } });
  expect(comment.startsWith("<!-- waybill diff -->")).toBe(true);
  expect(comment).toMatch(/^\| `example` \| \w{12} → \w{12} \| .* \| 50 % \| 1 upgraded \|$/m);
  expect(comment).toContain("`curl 8.14 -> 8.15`");
});

test.each([
  ["1.2.10", "1.2.9"],
  ["1:1.0", "2.0"],
  ["2.41-12+deb13u4", "2.41-12+deb13u3"],
  ["1.0", "1.0~rc1"],
  ["1.0.0", "1.0.0-rc.1"],
  ["2.0.0rc2", "2.0.0rc1"],
  ["v1.10.0", "v1.9.9"],
])("%s is newer than %s", (newer, older) => {
  expect(compareVersions(newer, older)).toBeGreaterThan(0);
  expect(compareVersions(older, newer)).toBeLessThan(0);
});
