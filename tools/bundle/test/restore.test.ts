// A bundle's way into a registry: Debian's docker-registry, which takes whole indexes only.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlobStore, type Descriptor, type Digest, parseDocument } from "@waybill/oci";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { planArchive, readBaseline, writeBundle } from "@waybill/bundle";
import { archive, clientOf, push, restoreTo, sourceOf } from "./bundles.ts";
import {
  makeImage,
  makeLayer,
  makeManifest,
  makeReferrer,
  putIndex,
  temporaryFolder,
  temporaryStore,
} from "./images.ts";

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(() => registry.stop());

/** A prefix of the registry that no other test uses. */
let prefixes = 0;
const newPrefix = (): string => `p${prefixes++}`;

/** What a tag names now. */
async function tagOf(prefix: string, repository: string, tag: string): Promise<Digest | undefined> {
  return (await clientOf(registry.host).headManifest(`${prefix}/${repository}`, tag))?.digest;
}

async function platformsOf(prefix: string, repository: string, tag: string): Promise<string[]> {
  const found = await clientOf(registry.host).getManifest(`${prefix}/${repository}`, tag);
  const document = parseDocument(found?.bytes ?? "", tag);
  if (document.kind !== "index") return [];
  return document.index.manifests.map(({ platform }) => platform?.architecture ?? "");
}

describe("restore", () => {
  it("puts every image under its upstream's name, and sends nothing again", async () => {
    const store = await temporaryStore();
    const images = {
      "ghcr.io/acme/api:1.0": await makeImage(store, "api"),
      "docker.io/library/web:2": await makeImage(store, "web"),
      "registry.corp:8443/db@sha256:0": await makeImage(store, "db"),
    };
    const { "registry.corp:8443/db@sha256:0": pinned, ...tagged } = images;
    const path = await archive(store, { ...tagged, [`registry.corp:8443/db@${pinned.digest}`]: pinned });
    const prefix = newPrefix();
    expect(await restoreTo(registry.host, path, { prefix })).toMatchObject({ actions: ["create", "create", "create"] });
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(images["ghcr.io/acme/api:1.0"].digest);
    expect(await tagOf(prefix, "docker.io/library/web", "2")).toBe(images["docker.io/library/web:2"].digest);
    expect(await tagOf(prefix, "registry.corp__8443/db", pinned.digest)).toBe(pinned.digest);
    expect(await restoreTo(registry.host, path, { prefix })).toEqual({ actions: ["keep", "keep", "keep"], sent: 0 });
  });

  it("goes on where another was broken off", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api");
    const path = await archive(store, { "ghcr.io/acme/api:1.0": image });
    const prefix = newPrefix();
    // A restore that ended before its last manifests: some layers are there, and no tag.
    const base = await makeLayer(store, "base");
    const source = { ...base, open: () => store.readStream(base.digest) };
    await clientOf(registry.host).blobs.push(`${prefix}/ghcr.io/acme/api`, source);
    expect(await restoreTo(registry.host, path, { prefix })).toEqual({ actions: ["create"], sent: 4 });
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(image.digest);
  });

  it("puts back what went missing under a name that is right", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api");
    const path = await archive(store, { "ghcr.io/acme/api:1.0": image });
    const prefix = newPrefix();
    await restoreTo(registry.host, path, { prefix });
    const base = await makeLayer(store, "base");
    const { blobs } = clientOf(registry.host);
    await blobs.delete(`${prefix}/ghcr.io/acme/api`, base.digest);
    expect(await restoreTo(registry.host, path, { prefix })).toEqual({ actions: ["keep"], sent: 1 });
    expect(await blobs.has(`${prefix}/ghcr.io/acme/api`, base.digest)).toBe(true);
  });
});

describe("a name that another image has", () => {
  /** Something else is there already, for arm64 alone. */
  async function occupied(): Promise<{
    prefix: string;
    store: BlobStore;
    other: Descriptor;
    ours: Descriptor;
    path: string;
  }> {
    const store = await temporaryStore();
    const other = await makeImage(store, "other", ["linux/arm64"]);
    const ours = await makeImage(store, "ours", ["linux/amd64"]);
    const prefix = newPrefix();
    await push(registry.host, store, other, `${prefix}/ghcr.io/acme/api`, "1.0");
    return { prefix, store, other, ours, path: await archive(store, { "ghcr.io/acme/api:1.0": ours }) };
  }

  it("stops all by default, before anything is sent", async () => {
    const { prefix, store, other, ours } = await occupied();
    const images = { "ghcr.io/acme/api:1.0": ours, "ghcr.io/acme/another:1.0": ours };
    const path = await archive(store, images);
    await expect(restoreTo(registry.host, path, { prefix })).rejects.toThrow(
      `other images have these names already: ${prefix}/ghcr.io/acme/api:1.0 is ${other.digest}, ${path}: choose with --on-conflict`,
    );
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(other.digest);
    expect(await tagOf(prefix, "ghcr.io/acme/another", "1.0")).toBeUndefined();
  });

  it("is left alone with skip, and moved with overwrite", async () => {
    const { prefix, other, ours, path } = await occupied();
    expect(await restoreTo(registry.host, path, { prefix, onConflict: "skip" })).toEqual({
      actions: ["skip"],
      sent: 0,
    });
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(other.digest);
    expect((await restoreTo(registry.host, path, { prefix, onConflict: "overwrite" })).actions).toEqual(["move"]);
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(ours.digest);
  });

  it("has the platforms of both with merge, ours where both have one", async () => {
    const { prefix, store, path } = await occupied();
    expect((await restoreTo(registry.host, path, { prefix, onConflict: "merge" })).actions).toEqual(["merge"]);
    expect(await platformsOf(prefix, "ghcr.io/acme/api", "1.0")).toEqual(["amd64", "arm64"]);
    const merged = await tagOf(prefix, "ghcr.io/acme/api", "1.0");
    expect((await restoreTo(registry.host, path, { prefix, onConflict: "merge" })).actions).toEqual(["keep"]);
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBe(merged);
    const newer = await makeImage(store, "newer", ["linux/arm64"]);
    const next = await archive(store, { "ghcr.io/acme/api:1.0": newer });
    await restoreTo(registry.host, next, { prefix, onConflict: "merge" });
    const found = await clientOf(registry.host).getManifest(`${prefix}/ghcr.io/acme/api`, "1.0");
    const document = parseDocument(found?.bytes ?? "", "1.0");
    const arm = parseDocument(await store.read(newer.digest), "newer");
    const digests = document.kind === "index" ? document.index.manifests.map(({ digest }) => digest) : [];
    expect(digests).toContain(arm.kind === "index" && arm.index.manifests[0]?.digest);
    expect(digests.length).toBe(2);
  });

  it("may be a single manifest's, whose platform its config tells", async () => {
    const store = await temporaryStore();
    const single = await makeManifest(store, { layers: [await makeLayer(store, "alone")], platform: "linux/s390x" });
    const prefix = newPrefix();
    await push(registry.host, store, single, `${prefix}/ghcr.io/acme/api`, "1.0");
    const path = await archive(store, { "ghcr.io/acme/api:1.0": await makeImage(store, "ours", ["linux/amd64"]) });
    await restoreTo(registry.host, path, { prefix, onConflict: "merge" });
    expect(await platformsOf(prefix, "ghcr.io/acme/api", "1.0")).toEqual(["amd64", "s390x"]);
  });
});

describe("an index with platforms missing", () => {
  it("is refused by such a registry, which is told with the way out, and goes in trimmed", async () => {
    const store = await temporaryStore();
    const image = await makeImage(store, "api", ["linux/amd64", "linux/arm64"]);
    const path = await archive(store, { "ghcr.io/acme/api:1.0": image }, { platforms: ["linux/amd64"] });
    const prefix = newPrefix();
    await expect(restoreTo(registry.host, path, { prefix })).rejects.toThrow(
      "the registry takes no index with platforms missing, ghcr.io/acme/api:1.0: restore with --trim, or archive with --all-platforms",
    );
    expect(await tagOf(prefix, "ghcr.io/acme/api", "1.0")).toBeUndefined();
    expect((await restoreTo(registry.host, path, { prefix, trim: true })).actions).toEqual(["create"]);
    expect(await platformsOf(prefix, "ghcr.io/acme/api", "1.0")).toEqual(["amd64"]);
    expect((await restoreTo(registry.host, path, { prefix, trim: true })).actions).toEqual(["keep"]);
  });
});

describe("a delta", () => {
  async function chain(): Promise<{ full: string; delta: string; next: Descriptor }> {
    const store = await temporaryStore();
    const full = await archive(store, { "ghcr.io/acme/api:1.0": await makeImage(store, "old") });
    const next = await makeImage(store, "new");
    const delta = join(await temporaryFolder(), "delta.tar");
    // Another repository: what it shares with the baseline has to come from there.
    const wanted = [{ source: sourceOf(store, "ghcr.io/acme/web:1.0", next.digest), platforms: undefined }];
    await writeBundle(delta, await planArchive(wanted, { baseline: await readBaseline(full) }));
    return { full, delta, next };
  }

  it("names what is missing where its baseline never came, and changes nothing", async () => {
    const { delta } = await chain();
    const prefix = newPrefix();
    const base = await makeLayer(await temporaryStore(), "base");
    await expect(restoreTo(registry.host, delta, { prefix })).rejects.toThrow(
      `this delta needs blobs that the destination has not got: ${base.digest} (ghcr.io/acme/web:1.0), ${delta}: restore its baseline first`,
    );
    expect(await clientOf(registry.host).listTags(`${prefix}/ghcr.io/acme/web`)).toEqual([]);
  });

  it("takes what it left out from where its baseline is", async () => {
    const { full, delta, next } = await chain();
    const prefix = newPrefix();
    await restoreTo(registry.host, full, { prefix });
    // Two configs and two layers of its own; the third layer is mounted.
    expect(await restoreTo(registry.host, delta, { prefix })).toEqual({ actions: ["create"], sent: 4 });
    expect(await tagOf(prefix, "ghcr.io/acme/web", "1.0")).toBe(next.digest);
  });

  it("takes it from the baseline's own file too", async () => {
    const { full, delta, next } = await chain();
    const prefix = newPrefix();
    expect(await restoreTo(registry.host, delta, { prefix, baseline: full })).toEqual({ actions: ["create"], sent: 5 });
    expect(await tagOf(prefix, "ghcr.io/acme/web", "1.0")).toBe(next.digest);
  });
});

describe("signatures", () => {
  it("come along, and are listed where the registry doesn't list them itself", async () => {
    const store = await temporaryStore();
    const image = await putIndex(store, [
      {
        ...(await makeManifest(store, { layers: [await makeLayer(store, "a")] })),
        platform: { os: "linux", architecture: "amd64" },
      },
    ]);
    const signature = await makeReferrer(store, image, "signed");
    const referrers = (digest: Digest): Promise<Descriptor[]> =>
      Promise.resolve(digest === image.digest ? [signature] : []);
    const source = { ...sourceOf(store, "ghcr.io/acme/api:1.0", image.digest), referrers };
    const path = join(await temporaryFolder(), "signed.tar");
    await writeBundle(path, await planArchive([{ source, platforms: undefined }], { referrers: true }));
    const prefix = newPrefix();
    await restoreTo(registry.host, path, { prefix });
    await restoreTo(registry.host, path, { prefix });
    const found = await clientOf(registry.host).listReferrers(`${prefix}/ghcr.io/acme/api`, image.digest);
    expect(found).toMatchObject([{ digest: signature.digest, artifactType: "application/vnd.example.signature" }]);
  });
});

it("says so where the bundle is no bundle", async () => {
  const file = join(await temporaryFolder(), "hello.tar");
  await writeFile(file, "hello");
  await expect(restoreTo(registry.host, file)).rejects.toThrow(/^the bundle is cut short/);
  await expect(restoreTo(registry.host, `${file}.gone`)).rejects.toThrow(/^there is no such bundle \(ENOENT\)/);
});
