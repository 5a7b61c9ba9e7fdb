// waybill mirror archive, verify and restore: from a site with a network, on a disk, to one without.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { halt, launch } from "@waybill/registry";
import { startRegistry, until } from "@waybill/testing";
import { OCI_MANIFEST, ask, imageOf, pullImage } from "../../registry/test/image.ts";
import { type FakeUpstream, startUpstream } from "../../registry/test/upstream.ts";

const WAYBILL = join(import.meta.dirname, "../src/waybill.ts");
/** Nothing listens there. */
const NOBODY = "http://127.0.0.1:1";

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mirror-bundle-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

interface Site {
  dir: string;
  url: string;
  host: string;
  /** The exit code, and what was said on stdout and stderr. */
  mirror(...args: string[]): Promise<[number, string, string]>;
  /** The same, without waiting for its end. */
  start(...args: string[]): ChildProcess;
}

/** A mirror of example.com. @param upstream where that is; by default it can't be asked */
async function siteOf(upstream = NOBODY): Promise<Site> {
  const dir = await temporaryFolder();
  const upstreams = { "example.com": { url: upstream, answerWithin: "2s", silentFor: "2s", revalidateAfter: "0s" } };
  await writeFile(join(dir, "config.json"), JSON.stringify({ listen: "127.0.0.1:0", keepFree: "0B", upstreams }));
  onTestFinished(async () => void (await halt(dir)));
  const { url } = await launch(dir);
  return {
    dir,
    url,
    host: new URL(url).host,
    async mirror(...args) {
      const command = [WAYBILL, "mirror", ...args, ...(args[0] === "verify" ? [] : ["--dir", dir])];
      const { exitCode, stdout, stderr } = await run(process.execPath, command, { cwd: dir });
      return [exitCode, stdout.trim(), stderr.trim()];
    },
    start: (...args) =>
      spawn(process.execPath, [WAYBILL, "mirror", ...args, "--dir", dir], {
        cwd: dir,
        stdio: ["ignore", "pipe", "pipe"],
      }),
  };
}

async function upstreamWith(...names: string[]): Promise<FakeUpstream> {
  const upstream = await startUpstream();
  for (const name of names) upstream.hold(name, imageOf(name), "1.0");
  return upstream;
}

describe("a bundle", { timeout: 180_000 }, () => {
  it("carries images from a mirror to one that can't ask anybody, which answers for upstream", async () => {
    const upstream = await upstreamWith("team/a", "team/b");
    const here = await siteOf(upstream.url);
    const bundle = join(here.dir, "bundle.tar");
    await writeFile(join(here.dir, "wanted.txt"), "example.com/team/a:1.0  # ours\n");
    const [code, said] = await here.mirror(
      "archive",
      "wanted.txt",
      "example.com/team/b:1.0",
      "--out",
      bundle,
      "--all-platforms",
    );
    expect(code).toBe(0);
    expect(said.split("\n")).toEqual([
      expect.stringMatching(/^example.com\/team\/a:1.0 {2}[0-9a-f]{12} {2}linux\/amd64$/),
      expect.stringMatching(/^example.com\/team\/b:1.0 {2}[0-9a-f]{12} {2}linux\/amd64$/),
      expect.stringMatching(/bundle.tar: 2 images, 8 blobs, [\d.]+ kB$/),
    ]);
    // Through the mirror: it holds them now, too.
    await upstream.close();
    expect(await pullImage(here.url, "example.com/team/a", "1.0")).toMatch(/^sha256:/);
    expect((await here.mirror("verify", bundle))[1]).toMatch(/2 images, 8 blobs, [\d.]+ kB, sound$/);

    const island = await siteOf();
    const [, plan] = await island.mirror("restore", bundle, "--dry-run");
    expect(plan).toMatch(/^create {4}example.com\/team\/a:1.0 -> example.com\/team\/a:1.0 {2}[0-9a-f]{12}$/m);
    expect(plan).toMatch(/ [\d.]+ kB to send$/);
    expect((await ask(island.url, "/v2/example.com/team/a/manifests/1.0")).status).toBe(502);
    expect((await island.mirror("restore", bundle))[0]).toBe(0);
    for (const name of ["team/a", "team/b"])
      expect(await pullImage(island.url, `example.com/${name}`, "1.0")).toMatch(/^sha256:/);
    expect((await ask(island.url, "/v2/example.com/team/a/manifests/1.0")).headers.get("warning")).toMatch(/^110 /);
    const [, again] = await island.mirror("restore", bundle, "--json");
    expect(JSON.parse(again)).toMatchObject({
      schemaVersion: 1,
      dryRun: false,
      size: 0,
      images: [{ action: "keep", repository: "example.com/team/a", tag: "1.0" }, { action: "keep" }],
    });
    expect((await island.mirror("list"))[1]).toContain("example.com/team/a:1.0");
  });

  it("goes into any registry, below a prefix, by skopeo's reading as well", async () => {
    const upstream = await upstreamWith("team/a");
    const here = await siteOf(upstream.url);
    const bundle = join(here.dir, "bundle.tar");
    await here.mirror("archive", "example.com/team/a:1.0", "--out", bundle, "--all-platforms");
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    const to = `${registry.host}/mirror`;
    expect((await here.mirror("restore", bundle, "--to", to))[0]).toBe(0);
    const copied = [
      "copy",
      "--src-tls-verify=false",
      `docker://${to}/example.com/team/a:1.0`,
      `dir:${join(here.dir, "out")}`,
    ];
    await run("skopeo", copied, { check: true, timeoutMs: 60_000 });
    // And from there into a bundle again, without the mirror: the same bytes.
    const second = join(here.dir, "second.tar");
    const from = await here.mirror(
      "archive",
      "example.com/team/a:1.0",
      "--from",
      to,
      "--out",
      second,
      "--all-platforms",
    );
    expect(from[0]).toBe(0);
    expect((await readFile(second)).equals(await readFile(bundle))).toBe(true);
  });

  it("is told apart from a damaged one, by exit code too", async () => {
    const upstream = await upstreamWith("team/a");
    const here = await siteOf(upstream.url);
    const bundle = join(here.dir, "bundle");
    await here.mirror("archive", "example.com/team/a:1.0", "--out", bundle, "--all-platforms");
    const layer = imageOf("team/a").layers[0];
    const file = join(bundle, "blobs", ...(layer?.digest ?? "").split(":"));
    await writeFile(file, (await readFile(file)).fill("X"));
    expect(await here.mirror("verify", bundle)).toEqual([
      1,
      expect.stringMatching(
        /^damaged: expected sha256:\w+ but the content is sha256:\w+\n.* 1 damaged: copy the bundle again$/,
      ),
      expect.anything(),
    ]);
    const island = await siteOf();
    const [code, , complaint] = await island.mirror("restore", bundle);
    expect([code, complaint]).toEqual([2, expect.stringMatching(/waybill: the bundle is damaged: expected sha256:/)]);
    expect((await island.mirror("list"))[1]).toBe("nothing is held");
    expect((await island.mirror("restore", bundle, "--on-conflict", "guess"))[0]).toBe(2);
    expect((await here.mirror("archive", "example.com/team/a:1.0", "--out", bundle))[2]).toContain(
      "the folder is not empty",
    );
  });

  it("is refused whole by a mirror that doesn't know one of its upstreams", async () => {
    const upstream = await upstreamWith("team/a", "other.example/team/b");
    const dir = await temporaryFolder();
    const here = await siteOf(upstream.url);
    const bundle = join(dir, "bundle.tar");
    // The fake registry has both below their hosts, as a mirror would.
    upstream.hold("example.com/team/a", imageOf("team/a"), "1.0");
    const [code] = await here.mirror(
      "archive",
      "example.com/team/a:1.0",
      "other.example/team/b:1.0",
      "--from",
      upstream.host,
      "--out",
      bundle,
      "--all-platforms",
    );
    expect(code).toBe(0);
    const island = await siteOf();
    const [refused, , complaint] = await island.mirror("restore", bundle);
    expect([refused, complaint]).toEqual([
      2,
      expect.stringMatching(/the mirror does not know other.example, .*config.json: add/),
    ]);
    expect((await island.mirror("list"))[1]).toBe("nothing is held");
  });

  it("may be a delta, which wants its baseline first", async () => {
    const upstream = await startUpstream();
    // The same seed: their first layers are the same, the second ones are random.
    const [old, next] = [imageOf("same"), imageOf("same")];
    upstream.hold("team/a", old, "1.0");
    upstream.hold("team/a", next, "1.1");
    const here = await siteOf(upstream.url);
    const [full, delta] = [join(here.dir, "full.tar"), join(here.dir, "delta.tar")];
    await here.mirror("archive", "example.com/team/a:1.0", "--out", full, "--all-platforms");
    const [, said] = await here.mirror(
      "archive",
      "example.com/team/a:1.1",
      "--out",
      delta,
      "--all-platforms",
      "--baseline",
      full,
    );
    expect(said).toMatch(/delta.tar: 1 images, 3 blobs, [\d.]+ kB; 1 blobs, 1.0 kB, are its baseline's$/);
    const island = await siteOf();
    expect((await island.mirror("restore", delta))[2]).toMatch(
      /waybill: this delta needs blobs that the destination has not got: sha256:\w+ \(example.com\/team\/a:1.1\)/,
    );
    expect((await island.mirror("list"))[1]).toBe("nothing is held");
    await island.mirror("restore", full);
    expect((await island.mirror("restore", delta))[0]).toBe(0);
    expect(await pullImage(island.url, "example.com/team/a", "1.1")).toBe(next.manifest.digest);
  });

  it("brings what of an image was left out at first, under the same digest", async () => {
    const upstream = await startUpstream();
    const images = [imageOf("one"), imageOf("two")];
    const index = upstream.holdIndex("team/multi", images, "1.0");
    const here = await siteOf(upstream.url);
    const island = await siteOf();
    for (const platform of ["linux/amd64", "linux/other1"]) {
      const bundle = join(here.dir, `${platform.replace("/", "-")}.tar`);
      await here.mirror("archive", "example.com/team/multi:1.0", "--platform", platform, "--out", bundle);
      expect((await island.mirror("restore", bundle))[0]).toBe(0);
    }
    const client = new RegistryClient(island.host);
    expect((await client.headManifest("example.com/team/multi", "1.0"))?.digest).toBe(index.digest);
    for (const { manifest } of images)
      expect(await pullImage(island.url, "example.com/team/multi", manifest.digest)).toBe(manifest.digest);
  });
});

/** A way to a registry that is shut after so many uploads: whoever comes then waits for ever. */
async function doorTo(host: string, uploads: number): Promise<{ host: string; isShut(): boolean }> {
  let left = uploads;
  const server = createServer((incoming, outgoing) => {
    if (incoming.method === "PUT") left--;
    if (left < 0) return;
    const { method, headers, url } = incoming;
    const passed = request(`http://${host}${url}`, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(passed);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, isShut: () => left < 0 };
}

describe("broken off", { timeout: 180_000 }, () => {
  it.each(["SIGTERM", "SIGKILL"] as const)("by %s, an archive leaves nothing under its name", async (signal) => {
    const upstream = await startUpstream();
    const image = imageOf("team/a", 3_000_000);
    upstream.hold("team/a", image, "1.0");
    const here = await siteOf(upstream.url);
    let hanging = false;
    upstream.fault = ({ method, path }, response) => {
      if (method !== "GET" || !path.includes(image.layers[1]?.digest ?? "")) return false;
      hanging = true;
      response.writeHead(200, { "content-length": 3_000_000 }).write(image.layers[1]?.bytes.subarray(0, 1_000_000));
      return true;
    };
    const out = await temporaryFolder();
    const child = here.start("archive", "example.com/team/a:1.0", "--all-platforms", "--out", join(out, "bundle.tar"));
    await until("the upstream hangs", () => Promise.resolve(hanging));
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    const left = await readdir(out);
    expect(left).not.toContain("bundle.tar");
    if (signal === "SIGTERM") expect(left).toEqual([]);
    upstream.fault = undefined;
    expect(
      (await here.mirror("archive", "example.com/team/a:1.0", "--all-platforms", "--out", join(out, "bundle.tar")))[0],
    ).toBe(0);
    expect((await here.mirror("verify", join(out, "bundle.tar")))[0]).toBe(0);
  });

  it("by kill -9, a restore goes on when it is run again", async () => {
    const upstream = await startUpstream();
    const names = Array.from({ length: 4 }, (_, i) => `team/n${i}`);
    for (const name of names) upstream.hold(name, imageOf(name, 2_000_000), "1.0");
    const here = await siteOf(upstream.url);
    const bundle = join(here.dir, "bundle.tar");
    await here.mirror("archive", ...names.map((name) => `example.com/${name}:1.0`), "--out", bundle, "--all-platforms");
    const registry = await startRegistry();
    onTestFinished(() => registry.stop());
    const door = await doorTo(registry.host, 5);
    const child = here.start("restore", bundle, "--to", `${door.host}/m`);
    await until("the restore is in the middle", () => Promise.resolve(door.isShut()));
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    expect(await ended).toEqual([null, "SIGKILL"]);
    const [code, said] = await here.mirror("restore", bundle, "--to", `${registry.host}/m`, "--json");
    const { size, images } = JSON.parse(said) as { size: number; images: object[] };
    expect([code, images.length]).toEqual([0, 4]);
    // What had come stayed.
    expect(size).toBeLessThan(15_000_000);
    for (const name of names)
      expect(
        await pullImage(`http://${registry.host}`, `m/example.com/${name}`, "1.0", { accept: OCI_MANIFEST }),
      ).toMatch(/^sha256:/);
  });
});
