import { describe, expect, test } from "vitest";
import type { TarEntry } from "../../oci/test/tar-of.ts";
import { Exceptions } from "../src/exceptions.ts";
import { imageFindings } from "../src/image-rules.ts";
import type { ImageFacts } from "../src/image-rules.ts";
import { builtOf } from "./fixture.ts";

type Config = Parameters<typeof builtOf>[1];

async function findings(layers: TarEntry[][], config: Config = {}, facts: Partial<ImageFacts> = {}) {
  const { record, store } = await builtOf(layers, config);
  return await imageFindings(record, store, {
    file: "D",
    exceptions: new Exceptions(""),
    user: undefined,
    healthcheck: undefined,
    ...facts,
  });
}

async function rules(layers: TarEntry[][], config: Config = {}, facts: Partial<ImageFacts> = {}): Promise<string[]> {
  return (await findings(layers, config, facts)).map(({ rule, file }) => `${rule} ${file}`);
}

/** The header's first 20 bytes. */
function elf(machine: number, { type = 3, big = false } = {}): Buffer {
  const head = Buffer.alloc(64);
  head.write("\x7fELF\x02", "latin1");
  head[5] = big ? 2 : 1;
  const write = (value: number, at: number): number =>
    big ? head.writeUInt16BE(value, at) : head.writeUInt16LE(value, at);
  write(type, 16);
  write(machine, 18);
  return head;
}

const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMII";

describe("how the image runs", () => {
  test("a number that isn't root, and a health check, are fine", async () => {
    expect(await rules([])).toEqual([]);
    expect(await rules([], { user: "65532:65532" })).toEqual([]);
  });

  test.each(["", "root", "0", "0:0", "nonroot", "00"])("USER %j is not enough", async (user) =>
    expect(await rules([], { user })).toEqual(["user D"]),
  );

  test("root with a reason is fine; a reason without root is stale", async () => {
    const declared = { user: "root: apt needs it to install" };
    expect(await rules([], { user: "" }, declared)).toEqual([]);
    expect(await findings([], {}, declared)).toMatchObject([{ rule: "user", severity: "warning" }]);
  });

  test.each([[[]], [["NONE"]]])("health check %j is none, and needs a reason", async (healthcheck) => {
    expect(await rules([], { healthcheck })).toEqual(["healthcheck D"]);
    expect(await rules([], { healthcheck }, { healthcheck: "none: it runs once and ends" })).toEqual([]);
  });
});

describe("the image's files", () => {
  test("a setuid or setgid file is found, a setgid folder isn't", async () => {
    const layer = [
      { path: "bin/su", mode: 0o4755 },
      { path: "bin/wall", mode: 0o2755 },
      { path: "var/mail/", mode: 0o2775 },
    ];
    expect(await rules([layer])).toEqual(["setuid /bin/su", "setuid /bin/wall"]);
  });

  test("a setuid file that a layer above deletes or replaces is no finding; a hardlink to one is", async () => {
    const lower = [
      { path: "bin/su", mode: 0o4755 },
      { path: "bin/mount", mode: 0o4755 },
      { path: "bin/x", hardlink: "bin/mount" },
    ];
    const upper = [{ path: "bin/.wh.su" }, { path: "bin/mount", mode: 0o755 }];
    expect(await rules([lower, upper])).toEqual(["setuid /bin/x"]);
  });

  test("an image that is root anyway may have setuid files", async () =>
    expect(await rules([[{ path: "bin/su", mode: 0o4755 }]], { user: "0" }, { user: "root: a toolchain" })).toEqual(
      [],
    ));

  test("a finding names the layer and the step", async () => {
    const [one] = await findings([[], [{ path: "bin/su", mode: 0o4755 }]]);
    expect(one?.message).toBe("is setuid (mode 4755); layer 1, RUN step 1");
  });

  test.each([
    "var/lib/apt/lists/deb.debian.org_dists_trixie_InRelease",
    "var/cache/apt/archives/curl_8_amd64.deb",
    "root/.npm/_cacache/index-v5/aa",
    "home/u/.cache/pip/http/a",
    "root/.cache/uv/wheels/a",
    "root/.cache/go-build/00/a",
    "go/pkg/mod/cache/download/a",
    "tmp/node-compile-cache/v24/a",
  ])("%s is a package manager's cache, even where it is deleted later", async (path) => {
    expect(
      await rules([
        [{ path, content: "x" }],
        [{ path: `${path.slice(0, path.lastIndexOf("/"))}/.wh.${path.slice(path.lastIndexOf("/") + 1)}` }],
      ]),
    ).toEqual([`package-cache /${path}`]);
  });

  test("empty lock files, Python's own byte code and a module that is called cache are none", async () => {
    const layer = [
      { path: "var/lib/apt/lists/lock" },
      { path: "usr/lib/python3/__pycache__/a.pyc", content: "x" },
      { path: "app/node_modules/pip/index.js", content: "x" },
    ];
    expect(await rules([layer])).toEqual([]);
  });

  test("a program for another machine is found, by either byte order", async () => {
    const layer = [
      { path: "amd64", content: elf(62) },
      { path: "arm64", content: elf(183) },
      { path: "s390x", content: elf(22, { big: true }) },
      { path: "bpf", content: elf(247) },
      { path: "object", content: elf(183, { type: 1 }) },
      { path: "src/testdata/arm64", content: elf(183) },
      { path: "short", content: "\x7fELF" },
    ];
    const found = await findings([layer]);
    expect(found.map(({ file, message }) => `${file} ${message}`)).toEqual([
      "/arm64 is for arm64, the image for linux/amd64; layer 0, RUN step 0",
      "/s390x is for s390x, the image for linux/amd64; layer 0, RUN step 0",
    ]);
    expect(await rules([layer], { platform: "linux/arm64" })).toEqual(["foreign-elf /amd64", "foreign-elf /s390x"]);
  });

  test("what everyone may write is found, but not links and sticky folders", async () => {
    const layer = [
      { path: "f", mode: 0o666 },
      { path: "d/", mode: 0o777 },
      { path: "tmp/", mode: 0o1777 },
      { path: "l", symlink: "f", mode: 0o777 },
    ];
    expect(await rules([layer])).toEqual(["world-writable /f", "world-writable /d"]);
  });

  test("secrets are found in every layer: deleted ones ship as well", async () => {
    const lower = [
      { path: "run/secrets/ca", content: "x" },
      { path: "run/secrets/empty" },
      { path: "app/key.pem", content: KEY },
      { path: "app/cert.pem", content: "-----BEGIN CERTIFICATE-----\n" },
      { path: "src/testdata/key.pem", content: KEY },
      { path: "root/.netrc", content: "x" },
      { path: "app/.npmrc", content: `${"#".repeat(200)}\n//r/:_authToken=abc` },
      { path: "other/.npmrc", content: "//r/:_authToken=${TOKEN}" },
    ];
    const expected = ["secret /run/secrets/ca", "secret /app/key.pem", "secret /root/.netrc", "secret /app/.npmrc"];
    expect(await rules([lower, [{ path: ".wh.app" }, { path: ".wh.run" }]])).toEqual(expected);
  });

  test("many files that break one rule are told by the first few", async () => {
    const layer = Array.from({ length: 9 }, (_, index) => ({ path: `f${index}`, mode: 0o666 }));
    const found = await findings([layer]);
    expect(found).toHaveLength(5);
    expect(found.at(-1)?.message).toContain("and 4 more like it");
  });

  test("an exception needs a reason, and covers only the path it names", async () => {
    const layer = [
      { path: "a/key", content: KEY },
      { path: "b/key", content: KEY },
    ];
    const explained = new Exceptions("# waybill ignore=secret /a/**: a key of the upstream's tests");
    expect(await rules([layer], {}, { exceptions: explained })).toEqual(["secret /b/key"]);
    const bare = new Exceptions("FROM scratch\n# waybill ignore=secret");
    expect(await rules([layer], {}, { exceptions: bare })).toEqual(["secret /a/key", "secret /b/key"]);
    expect(bare.findings("D")).toMatchObject([{ rule: "exception", line: 2 }]);
  });

  test("several platforms and variants are told apart", async () => {
    const { record, store } = await builtOf([[{ path: "f", mode: 0o666 }]]);
    record.variants = { debug: { digest: record.digest, platforms: record.platforms } };
    const facts = { file: "D", exceptions: new Exceptions(""), user: undefined, healthcheck: undefined };
    expect(
      (await imageFindings(record, store, facts)).map(({ message }) => message.replace("; layer 0, RUN step 0", "")),
    ).toEqual(["is writable by everyone (mode 666)", "is writable by everyone (mode 666) (debug, linux/amd64)"]);
  });

  test("a layer that isn't in the store is told, not passed over", async () => {
    const { record } = await builtOf([[{ path: "f" }]]);
    const { store } = await builtOf([]);
    const facts = { file: "D", exceptions: new Exceptions(""), user: undefined, healthcheck: undefined };
    await expect(imageFindings(record, store, facts)).rejects.toThrow(/^layer can't be read/);
  });
});
