// waybill mirror pull, sync, list and rewrite: a real mirror in the background, in front of registries of the test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { beforeAll, afterAll, describe, expect, it, onTestFinished } from "vitest";
import { type Digest, run } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { findRunning, halt, launch } from "@waybill/registry";
import { type RunningRegistry, startRegistry, until } from "@waybill/testing";
import { type TestImage, imageOf, indexOf, pullImage } from "../../registry/test/image.ts";
import { startUpstream } from "../../registry/test/upstream.ts";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");
const HOST = "example.com";
let upstream: RunningRegistry;
beforeAll(async () => {
  upstream = await startRegistry();
});
afterAll(() => upstream.stop());

interface Mirror {
  dir: string;
  url: string;
  /** The exit code, and what was said on stdout and stderr. */
  mirror(...args: string[]): Promise<[number, string, string]>;
}

/** @param url of the upstream that stands in for example.com */
async function mirrorOf(url: string, settings: object = {}): Promise<Mirror> {
  const dir = await mkdtemp(join(tmpdir(), "mirror-pull-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const upstreams = { [HOST]: { url, answerWithin: "2s", revalidateAfter: "1h" } };
  await writeFile(
    join(dir, "config.json"),
    JSON.stringify({ listen: "127.0.0.1:0", keepFree: "0B", upstreams, ...settings }),
  );
  onTestFinished(async () => void (await halt(dir)));
  const running = await launch(dir);
  return {
    dir,
    url: running.url,
    async mirror(...args) {
      const command = [WAYBILL, "mirror", ...args, "--dir", dir];
      const { exitCode, stdout, stderr } = await run(process.execPath, command, { cwd: dir });
      return [exitCode, stdout.trim(), stderr.trim()];
    },
  };
}

async function push(repository: string, image: TestImage, tag: string): Promise<void> {
  const client = new RegistryClient(upstream.host);
  for (const { digest, bytes } of [image.config, ...image.layers]) {
    const open = (): Readable => Readable.from([bytes]);
    await client.blobs.push(repository, { digest: digest as Digest, size: bytes.length, open });
  }
  await client.putManifest(repository, tag, image.manifest.mediaType, image.manifest.bytes);
}

const short = ({ manifest }: TestImage): string => manifest.digest.slice(7, 19);

describe("waybill mirror pull, sync and list", { timeout: 180_000 }, () => {
  it("bring what lists want, say what moved and what is here, and name what can't be had", async () => {
    const images = { a: imageOf("a"), b: imageOf("b"), newer: imageOf("newer") };
    await push("team/a", images.a, "1.0");
    await push("team/b", images.b, "latest");
    const { dir, mirror, url } = await mirrorOf(`http://${upstream.host}`, { lists: ["nightly.txt"] });
    await writeFile(
      join(dir, "nightly.txt"),
      `${HOST}/team/a:1.0 linux/amd64\n${HOST}/team/none:1 # gone\n${HOST}/team/b linux/amd64\n`,
    );
    expect(await mirror("list")).toEqual([0, "nothing is held", expect.anything()]);

    const [code, said] = await mirror("sync");
    expect(code).toBe(1);
    const lines = said.split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(new RegExp(`^pulled {2}${HOST}/team/a:1\\.0 {2}${short(images.a)} {2}2\\.\\d kB$`)),
        `failed  ${HOST}/team/none:1`,
        expect.stringMatching(/^4\.\d kB: 2 pulled, 0 moved, 0 held, 1 failed:$/),
      ]),
    );
    expect(lines.at(-1)).toBe(`  ${HOST}/team/none:1: its registry has no such image: check name and tag`);

    await push("team/b", images.newer, "latest");
    const [, again] = await mirror("sync", "nightly.txt");
    expect(again).toContain(`moved   ${HOST}/team/b  ${short(images.b)} -> ${short(images.newer)}  2.`);
    expect(again).toContain(`held    ${HOST}/team/a:1.0  ${short(images.a)}\n`);

    const [, table] = await mirror("list");
    expect(table).toMatch(
      new RegExp(`^${HOST}/team/a:1\\.0 +${short(images.a)} +linux/amd64 +2\\.\\d kB +20\\d\\d-`, "m"),
    );
    const [, json] = await mirror("list", "--json");
    const { images: held } = JSON.parse(json) as {
      images: { repository: string; tag?: string; digest: string; platforms: object[] }[];
    };
    // What the tag named before is still here, by digest.
    expect(held.map(({ repository, tag, digest }) => [repository, tag, digest])).toEqual([
      [`${HOST}/team/a`, "1.0", images.a.manifest.digest],
      [`${HOST}/team/b`, "latest", images.newer.manifest.digest],
      [`${HOST}/team/b`, undefined, images.b.manifest.digest],
    ]);
    expect(held[0]?.platforms).toEqual([{ platform: "linux/amd64", digest: images.a.manifest.digest, complete: true }]);

    const [, wanted] = await mirror("list", "nightly.txt", "--json");
    expect(
      (JSON.parse(wanted) as { images: { held: string; where: string }[] }).images.map(({ held: is, where }) => [
        is,
        where.split("/").at(-1),
      ]),
    ).toEqual([
      ["yes", "nightly.txt:1"],
      ["no", "nightly.txt:2"],
      ["yes", "nightly.txt:3"],
    ]);
    expect(await pullImage(url, `${HOST}/team/b`, "latest")).toBe(images.newer.manifest.digest);
  });

  it("take platforms, folders and machines' wishes, and refuse what makes no sense", async () => {
    const all = [imageOf("p0"), imageOf("p1")];
    for (const image of all) await push("team/multi", image, image.manifest.digest);
    const index = indexOf(all);
    await new RegistryClient(upstream.host).putManifest("team/multi", "1.0", index.mediaType, index.bytes);
    const { dir, mirror } = await mirrorOf(`http://${upstream.host}`);
    await mkdir(join(dir, "repo"));
    await writeFile(join(dir, "repo", "Dockerfile"), `FROM ${HOST}/team/multi:1.0\n`);
    const [code, json] = await mirror("pull", "--scan", join(dir, "repo"), "--platform", "linux/amd64", "--json");
    expect([code, JSON.parse(json)]).toEqual([
      0,
      {
        schemaVersion: 1,
        images: [
          expect.objectContaining({ status: "pulled", digest: index.digest, moved: expect.any(Number) as number }),
        ],
      },
    ]);
    expect((await mirror("list", "--scan", join(dir, "repo"), "--all-platforms"))[1]).toMatch(
      /Dockerfile:1 +example\.com\/team\/multi:1\.0 +in part$/,
    );
    expect((await mirror("pull", `${HOST}/team/multi:1.0`, "--all-platforms"))[0]).toBe(0);
    expect((await mirror("list", "--scan", join(dir, "repo"), "--all-platforms"))[1]).toMatch(/ yes$/);

    const refused = async (...args: string[]): Promise<string> => {
      const [exit, , stderr] = await mirror(...args);
      expect(exit).toBe(2);
      return stderr.split("\n").at(-1) ?? "";
    };
    expect(await refused("pull")).toBe("waybill: say what to pull: an image, a list, or --scan FOLDER");
    expect(await refused("pull", "none.txt")).toMatch(/^waybill: there is no list none\.txt, /);
    expect(await refused("pull", "a:1", "--concurrency", "0")).toMatch(/no number from 1 to 64$/);
    expect(await refused("pull", "a:1", "--platform", "arm")).toMatch(/"arm" is not a platform/);
    expect(await mirror("sync")).toEqual([
      0,
      "",
      expect.stringMatching(/^nothing to sync, .*"lists": \["inference"\]/),
    ]);
    await halt(dir);
    expect(await refused("pull", "a:1")).toMatch(/^waybill: the mirror is not running, .*: npx waybill mirror start$/);
  });
});

describe("waybill mirror pull that is interrupted", { timeout: 180_000 }, () => {
  it("by Ctrl-C says so and leaves nothing; by the death of the mirror fails; the next one brings the rest", async () => {
    const slow = await startUpstream();
    const image = imageOf("slow", 200_000);
    const late = image.layers[1]?.digest ?? "-";
    slow.hold("team/slow", image, "1.0");
    const { dir, mirror } = await mirrorOf(slow.url);
    const hang = (): void => {
      slow.fault = ({ method, path }, response) => {
        if (method !== "GET" || !path.includes(late)) return false;
        return (
          response.writeHead(200, { "content-length": 200_000 }).write(image.layers[1]?.bytes.subarray(0, 100_000)) ||
          true
        );
      };
    };
    const begun = async (): Promise<(end?: () => void) => Promise<[number, string]>> => {
      const command = [WAYBILL, "mirror", "pull", `${HOST}/team/slow:1.0`, "--dir", dir];
      const child = spawn(process.execPath, command, { cwd: dir });
      let said = "";
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding("utf8").on("data", (text: string) => (said += text));
      const ended = once(child, "close");
      await until("blobs are asked for", async () => said.includes("blobs, ") || child.exitCode !== null);
      return async (end = () => child.kill("SIGINT")) => {
        end();
        const [code] = (await ended) as [number];
        return [code, said];
      };
    };
    hang();
    const interrupt = await begun();
    const files = async (): Promise<string[]> => (await readdir(dir)).filter((name) => !name.endsWith(".log")).sort();
    const before = await files();
    expect(await interrupt()).toEqual([2, expect.stringContaining("waybill: stopped by SIGINT")]);
    expect(await files()).toEqual(before);

    const running = await findRunning(dir);
    const outlived = await begun();
    const [code, said] = await outlived(() => process.kill(running?.pid ?? 0, "SIGKILL"));
    expect([code, said]).toEqual([1, expect.stringContaining(`  ${HOST}/team/slow:1.0: `)]);

    slow.fault = undefined;
    const { url } = await launch(dir);
    expect((await mirror("pull", `${HOST}/team/slow:1.0`))[0]).toBe(0);
    expect(await pullImage(url, `${HOST}/team/slow`, "1.0")).toBe(image.manifest.digest);
    expect((await mirror("pull", `${HOST}/team/slow:1.0`))[1]).toMatch(/^held /);
  });
});

describe("waybill mirror rewrite", { timeout: 180_000 }, () => {
  it("names the mirror where one runs, and the original where none does; back it needs none", async () => {
    const { dir, mirror, url } = await mirrorOf(`http://${upstream.host}`);
    const { host } = new URL(url);
    const file = join(dir, "compose.yaml");
    const text = `services:\n  a: {image: "${HOST}/a:1"} # ours\n  b: {image: redis:7}\n`;
    await writeFile(file, text, { mode: 0o600 });
    await mkdir(join(dir, "links"));
    const link = join(dir, "links", "compose.yaml");
    await symlink("../compose.yaml", link);
    expect(await mirror("rewrite", `${HOST}/team/a:1`, "redis:7")).toEqual([
      0,
      `${host}/${HOST}/team/a:1\nredis:7`,
      expect.anything(),
    ]);
    expect((await mirror("rewrite", file))[1]).toBe(text.replace(HOST, `${host}/${HOST}`).trim());
    expect(await readFile(file, "utf8")).toBe(text);
    expect((await mirror("rewrite", link, "--write"))[1]).toBe(`${link}: 1 rewritten`);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, "utf8")).toBe(text.replace(HOST, `${host}/${HOST}`));
    // The port was the system's choice: what is undone is what the settings say.
    expect((await mirror("rewrite", file, "--write", "--back", "--url", url))[1]).toBe(`${file}: 1 rewritten`);
    expect(await readFile(file, "utf8")).toBe(text);
    await halt(dir);
    const [code, stdout, stderr] = await mirror("rewrite", `${HOST}/team/a:1`);
    expect([code, stdout]).toEqual([0, `${HOST}/team/a:1`]);
    expect(stderr).toContain("no mirror is there: everything stays as it is");
    expect((await mirror("rewrite", "127.0.0.1:5000/ghcr.io/a/b:1", "--back", "--url", "localhost:5000"))[1]).toBe(
      "ghcr.io/a/b:1",
    );
    expect((await mirror("rewrite", "none.yaml"))[2]).toMatch(/waybill: there is no such file, none\.yaml$/);
    expect((await mirror("rewrite", "a:1", "--url", "ftp://x"))[0]).toBe(2);
    await writeFile(file, Buffer.from("# caf\xe9\nservices: {a: {image: a:1}}\n", "latin1"));
    expect((await mirror("rewrite", file, "--url", url))[2]).toMatch(/waybill: the file is not UTF-8, /);
  });
});
