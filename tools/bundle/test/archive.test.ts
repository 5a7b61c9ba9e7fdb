// What a bundle is: one layout with every blob once, the same bytes whenever it is made, readable by every tool of the field.

import { open as openFile, readFile, readdir, stat, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { MEDIA_TYPE, digestOf, parseReference, run } from "@waybill/oci";
import { startRegistry } from "@waybill/testing";
import { fromRegistry, parseLock, planArchive, readBaseline, writeBundle } from "@waybill/bundle";
import { BLOCK, encodeHeader } from "../src/tar/header.ts";
import { scanTar } from "../src/tar/scan.ts";
import { archive, clientOf, open, push, sourceOf, verify } from "./bundles.ts";
import {
  makeImage,
  makeLayer,
  makeManifest,
  makeReferrer,
  putIndex,
  temporaryFolder,
  temporaryStore,
} from "./images.ts";

describe("a bundle", () => {
  it("is the same bytes whenever it is made, and is what it says", async () => {
    const store = await temporaryStore();
    const images = {
      "ghcr.io/acme/api:1.0": await makeImage(store, "api"),
      "docker.io/library/web:2": await makeImage(store, "web"),
    };
    const [one, other] = [await archive(store, images), await archive(store, images)];
    expect((await readFile(one)).equals(await readFile(other))).toBe(true);
    expect(await verify(one)).toEqual([]);
    const folder = await archive(store, images, { name: "bundle" });
    expect(await verify(folder)).toEqual([]);
    expect(await readFile(join(folder, "waybill.lock.json"), "utf8")).toBe(await member(one, "waybill.lock.json"));
  });

  it("holds a layer once that images share, and says which", async () => {
    const store = await temporaryStore();
    const api = await makeImage(store, "api");
    const path = await archive(store, {
      "ghcr.io/acme/api:1.0": api,
      "ghcr.io/acme/web:1.0": await makeImage(store, "web"),
    });
    const { lock, blobs } = await open(path);
    const base = await makeLayer(store, "base");
    expect(lock.blobs.filter(({ digest }) => digest === base.digest)).toMatchObject([
      { size: base.size, mediaType: base.mediaType, repositories: ["ghcr.io/acme/api", "ghcr.io/acme/web"] },
    ]);
    expect(blobs.size).toBe(lock.blobs.length);
    expect(lock.images.map(({ reference }) => reference)).toEqual(["ghcr.io/acme/api:1.0", "ghcr.io/acme/web:1.0"]);
    expect(lock.images[0]).toMatchObject({
      digest: api.digest,
      size: api.size,
      mediaType: api.mediaType,
      platforms: [{ platform: "linux/amd64" }, { platform: "linux/arm64" }],
    });
  });

  it("is a tar that tar reads, with nothing of this machine in it", async () => {
    const store = await temporaryStore();
    const path = await archive(store, { "ghcr.io/acme/api:1.0": await makeImage(store, "api") });
    const { stdout } = await run(
      "tar",
      ["--list", "--verbose", "--numeric-owner", "--full-time", "--utc", "-f", path],
      {
        check: true,
      },
    );
    const lines = stdout.trim().split("\n");
    expect(lines[0]).toMatch(/^drwxr-xr-x 0\/0 +0 1970-01-01 00:00:00 blobs\/$/);
    expect(lines.slice(2).every((line) => /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 /.test(line))).toBe(true);
  });

  it("holds the platforms that were asked for, under the digest that upstream gave the image", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api", ["linux/amd64", "linux/arm64", "linux/s390x"]);
    const path = await archive(store, { "ghcr.io/acme/api:1.0": image }, { platforms: ["linux/arm64"] });
    expect((await open(path)).lock.images).toMatchObject([
      { digest: image.digest, platforms: [{ platform: "linux/arm64" }], absent: ["linux/amd64", "linux/s390x"] },
    ]);
    expect(await verify(path)).toEqual([]);
    await expect(archive(store, { "ghcr.io/acme/api:1.0": image }, { platforms: ["linux/riscv64"] })).rejects.toThrow(
      /^there is no linux\/riscv64 of this image, ghcr.io\/acme\/api:1.0: it has linux\/amd64, linux\/arm64, linux\/s390x:/,
    );
  });

  it("takes what attests a platform with it, and not what attests others", async () => {
    const store = await temporaryStore();
    const of = async (platform: string): Promise<object[]> => {
      const [os, architecture] = platform.split("/");
      const manifest = await makeManifest(store, { layers: [await makeLayer(store, platform)], platform });
      const statement = await makeManifest(store, { layers: [await makeLayer(store, `about ${platform}`)] });
      const annotations = { "vnd.docker.reference.digest": manifest.digest };
      const nowhere = { os: "unknown", architecture: "unknown" };
      return [
        { ...manifest, platform: { os, architecture } },
        { ...statement, platform: nowhere, annotations },
      ];
    };
    const entries = [...(await of("linux/amd64")), ...(await of("linux/arm64"))];
    const path = await archive(
      store,
      { "ghcr.io/acme/api:1.0": await putIndex(store, entries) },
      { platforms: ["linux/amd64"] },
    );
    const { blobs, lock } = await open(path);
    const held = entries.map((entry) => blobs.has((entry as { digest: `sha256:${string}` }).digest));
    expect(held).toEqual([true, true, false, false]);
    expect(lock.images[0]?.absent).toEqual(["linux/arm64"]);
    expect(await verify(path)).toEqual([]);
  });

  it("leaves out the layers that its baseline holds, and says so", async () => {
    const store = await temporaryStore();
    const [old, latest] = [await makeImage(store, "old"), await makeImage(store, "new")];
    const full = await archive(store, { "ghcr.io/acme/api:1.0": old });
    const baseline = await readBaseline(full);
    const out = join(await temporaryFolder(), "delta.tar");
    const wanted = [{ source: sourceOf(store, "ghcr.io/acme/api:1.1", latest.digest), platforms: undefined }];
    await writeBundle(out, await planArchive(wanted, { baseline }));
    const delta = await open(out);
    const base = await makeLayer(store, "base");
    expect(delta.lock.baseline).toBe((await open(full)).lockDigest);
    expect(delta.lock.blobs.filter((blob) => blob.baseline)).toMatchObject([
      { digest: base.digest, baseline: ["ghcr.io/acme/api"] },
    ]);
    expect(delta.blobs.has(base.digest)).toBe(false);
    expect(await verify(out)).toEqual([]);
    // The lock alone does as well, when the bundle itself has gone.
    const lockFile = join(await temporaryFolder(), "full.lock.json");
    await writeFile(lockFile, await member(full, "waybill.lock.json"));
    expect((await readBaseline(lockFile)).digest).toBe(baseline.digest);
  });

  it("holds signatures, and signatures of signatures, when asked for them", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api");
    const signature = await makeReferrer(store, image, "signed");
    const second = await makeReferrer(store, signature, "witnessed");
    const source = {
      ...sourceOf(store, "ghcr.io/acme/api:1.0", image.digest),
      referrers: (digest: string) =>
        Promise.resolve(digest === image.digest ? [signature] : digest === signature.digest ? [second] : []),
    };
    const out = join(await temporaryFolder(), "signed.tar");
    await writeBundle(out, await planArchive([{ source, platforms: undefined }], { referrers: true }));
    expect(await verify(out)).toEqual([]);
    expect((await open(out)).lock.images[0]?.referrers?.map(({ subject }) => subject).toSorted()).toEqual(
      [image.digest, signature.digest].toSorted(),
    );
  });

  it("comes from a registry as it would from the store, and refuses a blob that is not its digest", async () => {
    const registry = await startRegistry();
    try {
      const store = await temporaryStore();
      const image = await makeImage(store, "api");
      await push(registry.host, store, image, "acme/api", "1.0");
      const reference = parseReference("ghcr.io/acme/api:1.0");
      const source = fromRegistry(clientOf(registry.host), "acme/api", reference);
      const plan = await planArchive([{ source, platforms: undefined }]);
      const out = join(await temporaryFolder(), "bundle.tar");
      await writeBundle(out, plan);
      const near = await archive(store, { "ghcr.io/acme/api:1.0": image });
      expect((await readFile(out)).equals(await readFile(near))).toBe(true);
      const lying = { ...plan, blobs: plan.blobs.map((blob) => ({ ...blob, bytes: undefined })) };
      const layer = lying.blobs.findIndex(({ size }) => size > 0);
      lying.blobs[layer] = {
        ...lying.blobs[layer]!,
        open: () =>
          Readable.from(
            (async function* () {
              yield Buffer.from("half");
              throw new Error("the line is dead");
            })(),
          ),
      };
      const bad = join(await temporaryFolder(), "bad.tar");
      await expect(writeBundle(bad, lying)).rejects.toThrow("the line is dead");
      expect(await readdir(join(bad, ".."))).toEqual([]);
    } finally {
      await registry.stop();
    }
  });

  it("may have blobs named by sha512, whose names are too long for an old tar", async () => {
    const store = await temporaryStore();
    const layer = { mediaType: MEDIA_TYPE.layer, ...(await store.put("long", "sha512")), diffId: digestOf("long") };
    const image = await makeManifest(store, { layers: [layer] });
    const path = await archive(store, { "ghcr.io/acme/api:1.0": image });
    expect((await open(path)).blobs.has(layer.digest)).toBe(true);
    expect(await verify(path)).toEqual([]);
    expect((await run("tar", ["-xOf", path, `blobs/${layer.digest.replace(":", "/")}`], { check: true })).stdout).toBe(
      "long",
    );
  });

  it("may have a blob of more bytes than an old tar can say", async () => {
    const size = 9 * 2 ** 30;
    const name = `blobs/sha256/${"a".repeat(64)}`;
    const file = join(await temporaryFolder(), "large.tar");
    const header = encodeHeader({ name, size, type: "0" });
    await writeFile(file, header);
    await truncate(file, header.length + size + 2 * BLOCK);
    const handle = await openFile(file);
    const found = await scanTar(handle, file, () => {});
    await handle.close();
    expect([...found]).toEqual([[name, { start: header.length, size }]]);
    expect((await run("tar", ["-tvf", file], { check: true, timeoutMs: 60_000 })).stdout).toContain(` ${size} `);
  });

  it("clears away what an archive left that was killed long ago, and nothing else", async () => {
    const folder = await temporaryFolder();
    const [dead, alive, other] = [".bundle.tar.1.tmp", ".bundle.tar.2.tmp", ".other.tar.3.tmp"];
    for (const name of [dead, alive, other]) await writeFile(join(folder, name), "");
    for (const name of [dead, other]) await utimes(join(folder, name), 0, 0);
    const store = await temporaryStore();
    const { digest } = await makeImage(store, "api");
    const wanted = [{ source: sourceOf(store, "ghcr.io/acme/api:1.0", digest), platforms: undefined }];
    await writeBundle(join(folder, "bundle.tar"), await planArchive(wanted));
    expect((await readdir(folder)).toSorted()).toEqual([alive, other, "bundle.tar"]);
  });

  it("is not written over a folder that has something in it", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api");
    const out = await temporaryFolder();
    await writeFile(join(out, "mine"), "");
    const plan = await planArchive([
      { source: sourceOf(store, "ghcr.io/acme/api:1.0", image.digest), platforms: undefined },
    ]);
    await expect(writeBundle(out, plan)).rejects.toThrow(/ENOTEMPTY|not empty/);
    expect(await readdir(out)).toEqual(["mine"]);
    expect(
      (await readdir(join(out, ".."))).filter((name) => name.endsWith(".tmp") && name.includes("bundle-")),
    ).toEqual([]);
  });
});

describe.each(["folder", "tar"])("skopeo and a %s", (kind) => {
  it("reads an image by its name, platform by platform", async () => {
    const store = await temporaryStore();
    const images = {
      "ghcr.io/acme/api:1.0": await makeImage(store, "api"),
      "docker.io/library/web:2": await makeImage(store, "web"),
    };
    const path = await archive(store, images, { name: kind === "tar" ? "bundle.tar" : "bundle" });
    const transport = kind === "tar" ? "oci-archive" : "oci";
    const out = join(await temporaryFolder(), "out");
    await run("skopeo", ["copy", "--all", `${transport}:${path}:ghcr.io/acme/api:1.0`, `oci:${out}:x`], {
      check: true,
      timeoutMs: 60_000,
    });
    const index = JSON.parse(await readFile(join(out, "index.json"), "utf8")) as { manifests: { digest: string }[] };
    expect(index.manifests[0]?.digest).toBe(images["ghcr.io/acme/api:1.0"].digest);
  });
});

describe("podman", () => {
  it("pulls an image from a bundle of several", { timeout: 90_000 }, async ({ skip }) => {
    const there = await run("podman", ["--version"], { timeoutMs: 30_000 }).catch(() => undefined);
    if (there?.exitCode !== 0) console.warn("SKIPPED: no podman here (apt-get install podman)");
    skip(there?.exitCode !== 0, "needs podman");
    const store = await temporaryStore();
    const path = await archive(store, {
      "ghcr.io/acme/api:1.0": await makeImage(store, "api"),
      "ghcr.io/acme/web:1.0": await makeImage(store, "web"),
    });
    const folder = await temporaryFolder();
    await writeFile(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    const storage = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
    const policy = ["--signature-policy", join(folder, "policy.json")];
    await run("podman", [...storage, "pull", ...policy, `oci-archive:${path}:ghcr.io/acme/api:1.0`], {
      check: true,
      timeoutMs: 60_000,
    });
    const { stdout } = await run("podman", [...storage, "images", "--format", "{{.Repository}}:{{.Tag}}"], {
      check: true,
    });
    expect(stdout).toContain("ghcr.io/acme/api:1.0");
  });
});

/** A file of a tar, by the system's own tar. */
async function member(path: string, name: string): Promise<string> {
  expect((await stat(path)).isFile()).toBe(true);
  const text = (await run("tar", ["-xOf", path, name], { check: true })).stdout;
  expect(parseLock(text, name).schemaVersion).toBe(1);
  return text;
}
