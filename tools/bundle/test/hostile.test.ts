// Bundles that were damaged on their way, or made to do damage: each is refused before the destination is even asked anything.

import { once } from "node:events";
import { cp, mkdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type BlobStore, type Descriptor, MEDIA_TYPE, canonicalJson, run } from "@waybill/oci";
import { openBundle, planArchive } from "@waybill/bundle";
import { BLOCK, encodeHeader, padded } from "../src/tar/header.ts";
import { archive, restoreTo, sourceOf, verify } from "./bundles.ts";
import {
  makeImage,
  makeLayer,
  makeManifest,
  makeReferrer,
  putIndex,
  temporaryFolder,
  temporaryStore,
} from "./images.ts";

/** A registry that counts whoever comes. */
let server: Server;
let visits = 0;
let host: string;
beforeAll(async () => {
  server = createServer((_, response) => {
    visits++;
    response.writeHead(500).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

async function expectRefused(path: string, message: RegExp): Promise<void> {
  const before = visits;
  await expect(restoreTo(host, path)).rejects.toThrow(message);
  expect(visits).toBe(before);
}

interface Made {
  store: BlobStore;
  image: Descriptor;
  folder: string;
}

/** A sound bundle in a folder, to be spoilt. */
async function makeBundle(): Promise<Made> {
  const store = await temporaryStore();
  const image = await makeImage(store, "api");
  return { store, image, folder: await archive(store, { "ghcr.io/acme/api:1.0": image }, { name: "bundle" }) };
}

interface Lock {
  schemaVersion: number;
  images: {
    reference: string;
    size: number;
    mediaType: string;
    digest: string;
    platforms: { platform: string; digest: string }[];
  }[];
  blobs: { digest: string; size: number; mediaType: string; repositories: string[]; baseline?: string[] }[];
}

type Spoil = (made: Made, lock: Lock) => unknown;

const NOT_THERE = `sha256:${"0".repeat(64)}`;
const blobFile = ({ folder }: Made, digest: string): string => join(folder, "blobs", ...digest.split(":"));

const layerOf = (lock: Lock): Lock["blobs"][number] =>
  lock.blobs.find(({ mediaType }) => mediaType === MEDIA_TYPE.layerGzip) as Lock["blobs"][number];
const manifestOf = (lock: Lock): Lock["blobs"][number] =>
  lock.blobs.find(({ mediaType }) => mediaType === MEDIA_TYPE.manifest) as Lock["blobs"][number];

async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
  await writeFile(file, bytes);
}

/** What is done to a bundle's folder or to its lock, which is written anew afterwards. */
const FAULTS: Record<string, [Spoil, RegExp]> = {
  "a layer with a flipped bit": [
    (made, lock) => flip(blobFile(made, layerOf(lock).digest)),
    /^the bundle is damaged: expected sha256:\w+ but the content is sha256:/,
  ],
  "a manifest with a flipped bit": [
    (made, lock) => flip(blobFile(made, manifestOf(lock).digest)),
    /^expected sha256:\w+ but the content is sha256:/,
  ],
  "a layer that is cut short": [
    (made, lock) => truncate(blobFile(made, layerOf(lock).digest), 10),
    /has 10 bytes, the lock says/,
  ],
  "a layer that is missing": [(made, lock) => rm(blobFile(made, layerOf(lock).digest)), /^sha256:\w+ is missing/],
  "a manifest that is missing": [
    (made, lock) => rm(blobFile(made, manifestOf(lock).digest)),
    /^sha256:\w+ is not in the bundle/,
  ],
  "a blob that no image needs": [
    (made) => writeFile(blobFile(made, NOT_THERE), "extra"),
    /^the bundle has sha256:0+, which no image of it needs/,
  ],
  "a file that no bundle has": [
    ({ folder }) => writeFile(join(folder, "run.sh"), ""),
    /^the bundle has "run.sh": no bundle of ours does/,
  ],
  "a link for a blob": [
    async (made, lock) => {
      const file = blobFile(made, layerOf(lock).digest);
      await rm(file);
      await symlink("/etc/hostname", file);
    },
    /^the bundle has blobs\/sha256\/\w+, which is no file/,
  ],
  "a link for the folder of blobs": [
    async ({ folder }) => {
      await rm(join(folder, "blobs"), { recursive: true });
      await symlink("/tmp", join(folder, "blobs"));
    },
    /^the bundle has blobs, which is no file/,
  ],
  "a lock that lies about an image's size": [(_, { images }) => images[0] && (images[0].size += 1), /bytes, not \d+/],
  "a lock that lies about an image's digest": [
    (_, { images }) => images[0] && (images[0].digest = NOT_THERE),
    /^sha256:0+ is not in the bundle/,
  ],
  "a lock that lies about an image's media type": [
    (_, { images }) => images[0] && (images[0].mediaType = "text/html"),
    /disagree about ghcr.io\/acme\/api:1.0/,
  ],
  "a lock that calls a platform another": [
    (_, { images }) => images[0]?.platforms[0] && (images[0].platforms[0].platform = "linux/s390x"),
    /disagree about ghcr.io\/acme\/api:1.0/,
  ],
  "a lock that leaves a platform out": [
    (_, { images }) => images[0]?.platforms.pop(),
    /disagree about ghcr.io\/acme\/api:1.0/,
  ],
  "a lock that lies about a blob's size": [(_, lock) => (layerOf(lock).size += 1), /disagree about blob sha256:/],
  "a lock that lies about who needs a blob": [
    (_, lock) => (layerOf(lock).repositories = ["ghcr.io/other/one"]),
    /disagree about blob sha256:/,
  ],
  "a lock that leaves a blob out": [
    (_, lock) => lock.blobs.splice(lock.blobs.indexOf(layerOf(lock)), 1),
    /disagree about blob sha256:/,
  ],
  "a lock with a blob of its own": [
    (_, lock) => lock.blobs.push({ ...layerOf(lock), digest: NOT_THERE }),
    /disagree about blob sha256:0+/,
  ],
  "a lock that leaves a blob to a baseline that it doesn't name": [
    async (made, lock) => {
      const layer = layerOf(lock);
      await rm(blobFile(made, layer.digest));
      lock.blobs[lock.blobs.indexOf(layer)] = { ...layer, baseline: [] };
    },
    /^sha256:\w+ is missing/,
  ],
  "a lock that names an image twice": [
    (_, { images }) => images[0] && images.push(images[0]),
    /^index.json names other images than the lock|disagree/,
  ],
  "a name that is no reference": [
    (_, { images }) => images[0] && (images[0].reference = "../../../etc/passwd:1"),
    /^"\.\.\/\.\.\/\.\.\/etc\/passwd:1" is not an image reference/,
  ],
  "a name without its registry": [
    (_, { images }) => images[0] && (images[0].reference = "acme/api:1.0"),
    /^"acme\/api:1.0" is not the whole of a reference/,
  ],
  "a name that pins another digest": [
    (_, { images }) => images[0] && (images[0].reference = `ghcr.io/acme/api@${NOT_THERE}`),
    /^the lock says ghcr.io\/acme\/api@sha256:0+ is sha256:/,
  ],
  "another image's name": [
    (_, { images }) => images[0] && (images[0].reference = "ghcr.io/acme/api:2.0"),
    /^index.json names other images than the lock/,
  ],
  "a newer lock": [(_, lock) => (lock.schemaVersion = 2), /schemaVersion: /],
  "an index.json that names other images": [
    ({ folder }) => writeFile(join(folder, "index.json"), canonicalJson({ schemaVersion: 2, manifests: [] })),
    /^index.json names other images than the lock/,
  ],
  "a layout of another version": [
    ({ folder }) => writeFile(join(folder, "oci-layout"), canonicalJson({ imageLayoutVersion: "2.0.0" })),
    /^not an OCI image layout of version 1.0.0/,
  ],
  "no layout at all": [({ folder }) => rm(join(folder, "oci-layout")), /^no oci-layout in it/],
};

it.each(Object.entries(FAULTS))("refuses %s", async (_, [spoil, message]) => {
  const made = await makeBundle();
  const file = join(made.folder, "waybill.lock.json");
  const lock = JSON.parse(await readFile(file, "utf8")) as Lock;
  await spoil(made, lock);
  await writeFile(file, JSON.stringify(lock));
  await expectRefused(made.folder, message);
});

it("refuses a lock that is no JSON, or is not there", async () => {
  const { folder } = await makeBundle();
  await writeFile(join(folder, "waybill.lock.json"), "{");
  await expectRefused(folder, /^not valid JSON/);
  await rm(join(folder, "waybill.lock.json"));
  await expectRefused(folder, /^no waybill.lock.json in it/);
});

it("refuses a signature that is of something else", async () => {
  const store = await temporaryStore();
  const [image, other] = [await makeImage(store, "api"), await makeImage(store, "other")];
  const signature = await makeReferrer(store, other, "signed");
  const source = {
    ...sourceOf(store, "ghcr.io/acme/api:1.0", image.digest),
    // A registry that lies about what refers to what.
    referrers: (digest: string) => Promise.resolve(digest === image.digest ? [signature] : []),
  };
  const plan = planArchive([{ source, platforms: undefined }], { referrers: true });
  await expect(plan).rejects.toThrow(`${signature.digest} does not refer to ${image.digest}`);
});

it("follows indexes within indexes only so far", async () => {
  const store = await temporaryStore();
  let node = await makeManifest(store, { layers: [await makeLayer(store, "a")] });
  for (let depth = 0; depth < 6; depth++) node = await putIndex(store, [node]);
  const source = sourceOf(store, "ghcr.io/acme/api:1.0", node.digest);
  await expect(planArchive([{ source, platforms: undefined }])).rejects.toThrow(/^indexes within indexes, more than 4/);
});

/** An entry of a tar, as somebody else writes it. */
function entry(name: string, content = "", type = "0", more: (header: Buffer) => void = () => {}): Buffer {
  const header = encodeHeader({ name, size: content.length, type });
  more(header);
  const body = Buffer.alloc(padded(content.length));
  body.write(content);
  return Buffer.concat([header, body]);
}

const END = Buffer.alloc(2 * BLOCK);
const BLOB = `blobs/sha256/${"a".repeat(64)}`;
const pax = (size: number): string => `${size} path=${"a".repeat(size - 20)}`;

const TARS: Record<string, [Buffer[], RegExp]> = {
  "a way out of it": [[entry("../evil", "x"), END], /^the bundle has "\.\.\/evil": no bundle of ours does/],
  "a way out of it by a blob's name": [
    [entry("blobs/sha256/../../../evil", "x"), END],
    /^the bundle has "blobs\/sha256\/\.\./,
  ],
  "an absolute name": [[entry("/etc/cron.d/evil", "x"), END], /^the bundle has "\/etc\/cron.d\/evil"/],
  "a way out in a pax record": [
    [entry("pax", "19 path=../../evil\n", "x"), entry(BLOB, "x"), END],
    /^the bundle has "\.\.\/\.\.\/evil"/,
  ],
  "a symbolic link": [
    [entry(BLOB, "", "2", (header) => sum(header, "/etc/passwd")), END],
    /^the bundle has a link, "blobs/,
  ],
  "a hard link": [[entry(BLOB, "", "1", (header) => sum(header, "oci-layout")), END], /^the bundle has a link, "blobs/],
  "a device": [[entry("blobs/sha256/zero", "", "3"), END], /^the bundle has an entry of type "3"/],
  "a sparse file": [[entry(BLOB, "", "S"), END], /^the bundle has an entry of type "S"/],
  "pax records for all": [[entry("pax", "19 path=../../evil\n", "g"), END], /^the bundle has an entry of type "g"/],
  "a name twice": [[entry(BLOB, "x"), entry(BLOB, "y"), END], /^the bundle has blobs\/sha256\/a+ twice/],
  "a name twice, written in two ways": [
    [entry(BLOB, "x"), entry(`./${BLOB}`, "y"), END],
    /^the bundle has blobs\/sha256\/a+ twice/,
  ],
  "a file in place of a folder": [[entry("blobs", "x"), END], /^the bundle has "blobs"/],
  "huge pax records": [
    [entry("pax", pax(20_000), "x"), entry(BLOB, "x"), END],
    /^a pax header of 19991 bytes is too large/,
  ],
  "damaged pax records": [[entry("pax", "99 path=x\n", "x"), entry(BLOB, "x"), END], /^damaged pax records/],
  "pax records without end": [[entry("pax", "0 path=x\n", "x"), entry(BLOB, "x"), END], /^damaged pax records/],
  "a size that is none": [[entry("pax", "19 size=1234567x\n\n\n", "x"), entry(BLOB, "x"), END], /^damaged pax records/],
  "a size beyond the file": [
    [encodeHeader({ name: BLOB, size: 9_000_000_000_000, type: "0" }), END],
    /^the bundle is cut short/,
  ],
  "a header with a wrong sum": [
    [entry(BLOB, "x", "0", (header) => header.write("9", 0)), END],
    /^not a tar, or a damaged one/,
  ],
  "no end": [[entry(BLOB, "x")], /^the bundle is cut short/],
  nothing: [[END], /^no oci-layout in it/],
};

/** A link's target, and the header's sum after it. */
function sum(header: Buffer, target: string): void {
  header.write(target, 157);
  header.write("        ", 148);
  const total = header.reduce((all, byte) => all + byte, 0);
  header.write(`${total.toString(8).padStart(6, "0")}\0 `, 148);
}

it.each(Object.entries(TARS))("refuses a tar with %s", async (_, [parts, message]) => {
  const file = join(await temporaryFolder(), "bundle.tar");
  await writeFile(file, Buffer.concat(parts));
  await expectRefused(file, message);
});

it("refuses a tar wherever it was cut short", async () => {
  const store = await temporaryStore();
  const path = await archive(store, { "ghcr.io/acme/api:1.0": await makeImage(store, "api") });
  const bytes = await readFile(path);
  const cut = join(await temporaryFolder(), "cut.tar");
  for (let length = 0; length < bytes.length - 2 * BLOCK; length += 256) {
    await writeFile(cut, bytes.subarray(0, length));
    await expect(openBundle(cut)).rejects.toThrow(/^the bundle is cut short/);
  }
});

it("refuses a tar with any byte of its content flipped", async () => {
  const store = await temporaryStore();
  const path = await archive(store, { "ghcr.io/acme/api:1.0": await makeImage(store, "api", ["linux/amd64"]) });
  const bytes = await readFile(path);
  const spoilt = join(await temporaryFolder(), "spoilt.tar");
  const bundle = await openBundle(path);
  const places = [...bundle.blobs.keys()].map((digest) => bytes.indexOf(Buffer.from(digest.slice(7)), 2 * BLOCK));
  await bundle.close();
  expect(places.length).toBe(5);
  for (let at = bytes.lastIndexOf("blobs/sha256/") + BLOCK; at < bytes.length - 2 * BLOCK; at += 37) {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 0x10;
    await writeFile(spoilt, copy);
    const found = await verify(spoilt).catch((error: Error) => [error.message]);
    // What stands between the entries' ends and the next block is no content.
    if (found.length === 0) expect(bytes[at]).toBe(0);
  }
});

it("reads what other tars of the same folder are", async () => {
  const { folder } = await makeBundle();
  const copy = join(await temporaryFolder(), "copy");
  await mkdir(copy);
  await cp(folder, copy, { recursive: true });
  for (const format of ["gnu", "ustar", "posix"]) {
    const file = join(await temporaryFolder(), `${format}.tar`);
    await run("tar", [`--format=${format}`, "-cf", file, "-C", copy, "."], { check: true });
    expect(await verify(file)).toEqual([]);
  }
});
