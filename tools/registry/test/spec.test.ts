// The distribution spec's clauses, under the names of its sections. Where it leaves a choice, ours is tested.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hash } from "bcryptjs";
import { describe, expect, it } from "vitest";
import { startTestRegistry, temporaryFolder } from "./harness.ts";
import {
  ask,
  blobOf,
  descriptorOf,
  imageOf,
  indexOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pullImage,
  pushBlob,
  pushImage,
  pushManifest,
  randomBlob,
} from "./image.ts";

const NAME = "team/sub.group/api";

describe("Determining Support", () => {
  it.each(["/v2/", "/v2"])("%s answers 200", async (path) => {
    const { url } = await startTestRegistry();
    expect((await ask(url, path)).status).toBe(200);
  });
});

describe("Pulling manifests", () => {
  it("gives the exact bytes by tag and by digest, with type and digest", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image, "1.0");
    for (const reference of ["1.0", image.manifest.digest]) {
      const { status, headers, body } = await ask(url, `/v2/${NAME}/manifests/${reference}`);
      expect([status, headers.get("content-type")]).toEqual([200, OCI_MANIFEST]);
      expect(headers.get("docker-content-digest")).toBe(image.manifest.digest);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(body).toEqual(image.manifest.bytes);
    }
  });

  it.each([
    ["a manifest that isn't there", `/v2/${NAME}/manifests/none`, "MANIFEST_UNKNOWN"],
    ["a digest that isn't there", `/v2/${NAME}/manifests/${blobOf("x").digest}`, "MANIFEST_UNKNOWN"],
    ["a repository that isn't there", "/v2/nowhere/manifests/latest", "MANIFEST_UNKNOWN"],
    ["a reference that is neither tag nor digest", `/v2/${NAME}/manifests/sha256:abc`, "MANIFEST_UNKNOWN"],
  ])("answers 404 for %s", async (_what, path, code) => {
    const { url } = await startTestRegistry();
    await pushImage(url, NAME, imageOf("a"), "1.0");
    const answer = await ask(url, path);
    expect([answer.status, answer.code]).toEqual([404, code]);
  });

  it("does not send again what the client has", async () => {
    const { url } = await startTestRegistry();
    await pushImage(url, NAME, imageOf("a"), "1.0");
    const etag = (await ask(url, `/v2/${NAME}/manifests/1.0`)).headers.get("etag") ?? "";
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`, { headers: { "if-none-match": etag } })).status).toBe(304);
  });
});

describe("Pulling blobs", () => {
  const blob = randomBlob(300_000);

  it("gives the bytes, with length and digest", async () => {
    const { url } = await startTestRegistry();
    await pushBlob(url, NAME, blob);
    const { status, headers, body } = await ask(url, `/v2/${NAME}/blobs/${blob.digest}`);
    expect([status, headers.get("content-length"), headers.get("docker-content-digest")]).toEqual([
      200,
      "300000",
      blob.digest,
    ]);
    expect(body).toEqual(blob.bytes);
  });

  it.each([
    ["bytes=0-0", 206, [0, 1]],
    ["bytes=500-1499", 206, [500, 1500]],
    ["bytes=299999-", 206, [299_999, 300_000]],
    ["bytes=-10", 206, [299_990, 300_000]],
    ["bytes=-999999", 206, [0, 300_000]],
    ["bytes=10-999999", 206, [10, 300_000]],
    ["bytes=0-1,5-9", 200, [0, 300_000]],
    ["lines=1-2", 200, [0, 300_000]],
  ])("range %s answers %i", async (range, status, [start, end]) => {
    const { url } = await startTestRegistry();
    await pushBlob(url, NAME, blob);
    const answer = await ask(url, `/v2/${NAME}/blobs/${blob.digest}`, { headers: { range } });
    expect(answer.status).toBe(status);
    expect(answer.body).toEqual(blob.bytes.subarray(start, end));
    const contentRange = answer.headers.get("content-range");
    expect(contentRange).toBe(status === 206 ? `bytes ${start}-${(end ?? 0) - 1}/300000` : null);
  });

  it.each(["bytes=300000-", "bytes=-0", "bytes=9-5"])("range %s can't be satisfied", async (range) => {
    const { url } = await startTestRegistry();
    await pushBlob(url, NAME, blob);
    const answer = await ask(url, `/v2/${NAME}/blobs/${blob.digest}`, { headers: { range } });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, "bytes */300000"]);
  });

  it("serves an empty blob", async () => {
    const { url } = await startTestRegistry();
    const empty = blobOf("");
    expect(await pushBlob(url, NAME, empty)).toBe(201);
    const { status, headers } = await ask(url, `/v2/${NAME}/blobs/${empty.digest}`);
    expect([status, headers.get("content-length")]).toEqual([200, "0"]);
  });

  it("answers 404 for a blob of another repository", async () => {
    const { url } = await startTestRegistry();
    await pushBlob(url, "other", blob);
    const { status, code } = await ask(url, `/v2/${NAME}/blobs/${blob.digest}`);
    expect([status, code]).toEqual([404, "BLOB_UNKNOWN"]);
  });
});

describe("Checking if content exists in the registry", () => {
  it("answers HEAD with length and digest, and no body", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image, "1.0");
    for (const [path, blob] of [
      [`manifests/1.0`, image.manifest],
      [`blobs/${image.config.digest}`, image.config],
    ] as const) {
      const { status, headers, body } = await ask(url, `/v2/${NAME}/${path}`, { method: "HEAD" });
      expect([status, headers.get("content-length")]).toEqual([200, String(blob.bytes.length)]);
      expect(headers.get("docker-content-digest")).toBe(blob.digest);
      expect(body).toHaveLength(0);
    }
  });

  it("answers 404 without a body", async () => {
    const { url } = await startTestRegistry();
    for (const path of ["manifests/none", `blobs/${blobOf("x").digest}`])
      expect((await ask(url, `/v2/${NAME}/${path}`, { method: "HEAD" })).status).toBe(404);
  });
});

async function begin(url: string, query = ""): Promise<string> {
  const { status, headers } = await ask(url, `/v2/${NAME}/blobs/uploads/${query}`, { method: "POST" });
  expect(status).toBe(202);
  return headers.get("location") ?? "";
}

async function assertThere(url: string, { digest, bytes }: { digest: string; bytes: Buffer }): Promise<void> {
  const answer = await ask(url, `/v2/${NAME}/blobs/${digest}`);
  expect([answer.status, answer.body.equals(bytes)]).toEqual([200, true]);
}

describe.each(["sha256", "sha512"])("Pushing a blob monolithically (%s)", (algorithm) => {
  const blob = blobOf("content of the blob", algorithm);

  it("POST then PUT", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url, algorithm === "sha512" ? "?digest-algorithm=sha512" : "");
    const { status, headers } = await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT", body: blob.bytes });
    expect([status, headers.get("location")]).toEqual([201, `/v2/${NAME}/blobs/${blob.digest}`]);
    await assertThere(url, blob);
  });

  it("Single POST", async () => {
    const { url } = await startTestRegistry();
    expect(await pushBlob(url, NAME, blob)).toBe(201);
    await assertThere(url, blob);
  });

  it.each(["sha256:abc", "md5:00000000000000000000000000000000", "nonsense", blobOf("other").digest])(
    "answers 400 for digest %s, and keeps nothing",
    async (digest) => {
      const { url } = await startTestRegistry();
      const session = await begin(url);
      const { status, code } = await ask(url, `${session}?digest=${digest}`, { method: "PUT", body: blob.bytes });
      expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
      expect((await ask(url, `/v2/${NAME}/blobs/${blob.digest}`)).status).toBe(404);
    },
  );
});

describe("Pushing a blob in chunks", () => {
  const blob = randomBlob(100_000);
  const parts = [blob.bytes.subarray(0, 40_000), blob.bytes.subarray(40_000, 70_000), blob.bytes.subarray(70_000)];

  async function patch(url: string, session: string, body: Buffer, range?: string): ReturnType<typeof ask> {
    return await ask(url, session, { method: "PATCH", body, headers: range ? { "content-range": range } : {} });
  }

  it("takes them in order, and tells how far it is", async () => {
    const { url } = await startTestRegistry();
    let session = await begin(url);
    const first = await patch(url, session, parts[0] as Buffer, "0-39999");
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-39999"]);
    session = first.headers.get("location") ?? "";
    const second = await patch(url, session, parts[1] as Buffer, "40000-69999");
    expect([second.status, second.headers.get("range")]).toEqual([202, "0-69999"]);
    const headers = { "content-range": "70000-99999" };
    const last = await ask(url, `${session}?digest=${blob.digest}`, {
      method: "PUT",
      body: parts[2] as Buffer,
      headers,
    });
    expect(last.status).toBe(201);
    await assertThere(url, blob);
  });

  it("takes a stream without Content-Range", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    expect((await patch(url, session, blob.bytes)).status).toBe(202);
    expect((await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT" })).status).toBe(201);
    await assertThere(url, blob);
  });

  it("answers 416 for a chunk out of order, tells the offset, and goes on from there", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    await patch(url, session, parts[0] as Buffer, "0-39999");
    const wrong = await patch(url, session, parts[2] as Buffer, "70000-99999");
    expect([wrong.status, wrong.code]).toEqual([416, "BLOB_UPLOAD_INVALID"]);
    const status = await ask(url, session);
    expect([status.status, status.headers.get("range")]).toEqual([204, "0-39999"]);
    expect(status.headers.get("location")).toBe(session);
    const body = blob.bytes.subarray(40_000);
    expect((await patch(url, session, body, "40000-99999")).status).toBe(202);
    expect((await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT" })).status).toBe(201);
    await assertThere(url, blob);
  });

  it("answers 416 for a last chunk out of order", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    const headers = { "content-range": "5-9" };
    const { status } = await ask(url, `${session}?digest=${blob.digest}`, {
      method: "PUT",
      body: Buffer.alloc(5),
      headers,
    });
    expect(status).toBe(416);
  });

  it("goes on after the connection broke, from where the registry says", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    await patch(url, session, parts[0] as Buffer, "0-39999");
    const broken = new AbortController();
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(parts[1]);
        setTimeout(() => broken.abort(), 50);
      },
    });
    const half = fetch(new URL(session, url), {
      method: "PATCH",
      body: stream,
      duplex: "half",
      signal: broken.signal,
    });
    await expect(half).rejects.toThrow();
    await expect.poll(async () => await ask(url, session), { timeout: 30_000 }).toMatchObject({ status: 204 });
    const reached = Number((await ask(url, session)).headers.get("range")?.split("-")[1]) + 1;
    // What came of the broken chunk may count or not; the client asks.
    await expect
      .poll(async () => (await patch(url, session, blob.bytes.subarray(reached))).status, { timeout: 30_000 })
      .toBe(202);
    expect((await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT" })).status).toBe(201);
    await assertThere(url, blob);
  });
});

describe("Cancel a blob upload", () => {
  it("answers 204, and the upload is gone", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    expect((await ask(url, session, { method: "DELETE" })).status).toBe(204);
    const { status, code } = await ask(url, session);
    expect([status, code]).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  });

  it("is for the repository's own uploads", async () => {
    const { url } = await startTestRegistry();
    const session = await begin(url);
    expect((await ask(url, session.replace(NAME, "other"), { method: "DELETE" })).status).toBe(404);
  });
});

describe("Mounting a blob from another repository", () => {
  const blob = blobOf("mounted");

  it("answers 201 and the blob is there", async () => {
    const { url } = await startTestRegistry();
    await pushBlob(url, "from/here", blob);
    const path = `/v2/${NAME}/blobs/uploads/?mount=${blob.digest}&from=from/here`;
    const { status, headers } = await ask(url, path, { method: "POST" });
    expect([status, headers.get("location")]).toEqual([201, `/v2/${NAME}/blobs/${blob.digest}`]);
    await assertThere(url, blob);
  });

  it("finds it where nobody says from where", async () => {
    const { url } = await startTestRegistry();
    await pushBlob(url, "some/where", blob);
    // The second time it is in the repository itself.
    for (const name of [NAME, NAME]) {
      const { status } = await ask(url, `/v2/${name}/blobs/uploads/?mount=${blob.digest}`, { method: "POST" });
      expect(status).toBe(201);
    }
    await assertThere(url, blob);
  });

  it("finds nothing in what the user may not read", async () => {
    const headers = { authorization: `Basic ${Buffer.from("ann:secret").toString("base64")}` };
    const folder = await temporaryFolder();
    await writeFile(join(folder, "htpasswd"), `ann:${await hash("secret", 4)}\n`);
    const rules = [{ repositories: "secret/**", read: ["bob"], write: ["ann"] }];
    const { url } = await startTestRegistry({ access: { htpasswd: "htpasswd", rules } }, folder);
    await pushBlob(url, "secret/here", blob, headers);
    const path = `/v2/${NAME}/blobs/uploads/?mount=${blob.digest}`;
    expect((await ask(url, path, { method: "POST", headers })).status).toBe(202);
    expect((await ask(url, `/v2/${NAME}/blobs/${blob.digest}`, { headers })).status).toBe(404);
  });

  it.each([
    ["it isn't there", `mount=${blobOf("none").digest}&from=from/here`],
    ["it is nowhere", `mount=${blobOf("none").digest}`],
    ["it is elsewhere", `mount=${blob.digest}&from=no/where`],
  ])("begins an upload where %s", async (_what, query) => {
    const { url } = await startTestRegistry();
    await pushBlob(url, "from/here", blob);
    const session = await begin(url, `?${query}`);
    expect((await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT", body: blob.bytes })).status).toBe(201);
  });
});

describe("Pushing Manifests", () => {
  it("answers 201 with Location and digest", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image);
    const { status, headers } = await pushManifest(url, NAME, "1.0", image.manifest);
    expect([status, headers.get("docker-content-digest")]).toEqual([201, image.manifest.digest]);
    expect((await ask(url, headers.get("location") ?? "")).body).toEqual(image.manifest.bytes);
  });

  it("tags a manifest that is pushed by digest, with any number of tag parameters", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image);
    const tags = Array.from({ length: 12 }, (_, i) => `t${i}`);
    const query = tags.map((tag) => `tag=${tag}`).join("&");
    const { status, headers } = await pushManifest(url, NAME, `${image.manifest.digest}?${query}`, image.manifest);
    expect([status, headers.get("oci-tag")]).toEqual([201, tags.join(", ")]);
    expect((await ask(url, `/v2/${NAME}/manifests/t11`)).body).toEqual(image.manifest.bytes);
  });

  it("by a digest of sha512", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image);
    const manifest = { ...image.manifest, ...blobOf(image.manifest.bytes, "sha512") };
    expect((await pushManifest(url, NAME, manifest.digest, manifest)).status).toBe(201);
    expect((await ask(url, `/v2/${NAME}/manifests/${manifest.digest}`)).body).toEqual(manifest.bytes);
  });

  const image = imageOf("a");
  it.each([
    ["no JSON", OCI_MANIFEST, "{", "MANIFEST_INVALID", 400],
    ["no manifest", OCI_MANIFEST, "[]", "MANIFEST_INVALID", 400],
    [
      "both index and manifest",
      OCI_MANIFEST,
      JSON.stringify({ schemaVersion: 2, layers: [], manifests: [] }),
      "MANIFEST_INVALID",
      400,
    ],
    ["another type than it says", OCI_INDEX, image.manifest.bytes.toString(), "MANIFEST_INVALID", 400],
    [
      "a manifest without mediaType that is called an index",
      OCI_INDEX,
      imageOf("plain", 1, { mediaType: undefined }).manifest.bytes.toString(),
      "MANIFEST_INVALID",
      400,
    ],
    ["layers that aren't there", OCI_MANIFEST, image.manifest.bytes.toString(), "MANIFEST_BLOB_UNKNOWN", 404],
  ])("refuses %s", async (_what, mediaType, text, code, status) => {
    const { url } = await startTestRegistry();
    const answer = await pushManifest(url, NAME, "1.0", { ...blobOf(text), mediaType });
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`)).status).toBe(404);
  });

  it.each([OCI_MANIFEST, "application/octet-stream", "application/json", "text/html"])(
    "takes a manifest without mediaType for one of OCI's, pushed as %s",
    async (mediaType) => {
      const { url } = await startTestRegistry();
      const plain = imageOf("plain", 1000, { mediaType: undefined });
      await pushImage(url, NAME, { ...plain, manifest: { ...plain.manifest, mediaType } }, "1.0");
      expect((await ask(url, `/v2/${NAME}/manifests/1.0`)).headers.get("content-type")).toBe(OCI_MANIFEST);
    },
  );

  it("refuses bytes that are not their digest's", async () => {
    const { url } = await startTestRegistry();
    await pushImage(url, NAME, image);
    const { status, code } = await pushManifest(url, NAME, blobOf("other").digest, image.manifest);
    expect([status, code]).toEqual([400, "DIGEST_INVALID"]);
  });

  it("refuses a descriptor with another size than the blob's", async () => {
    const { url } = await startTestRegistry();
    await pushImage(url, NAME, image);
    const wrong = image.manifest.bytes.toString().replace('"size":1000', '"size":1001');
    expect((await pushManifest(url, NAME, "1.0", { ...blobOf(wrong), mediaType: OCI_MANIFEST })).code).toBe(
      "MANIFEST_INVALID",
    );
  });

  it("takes 4 megabytes and no more", async () => {
    const { url } = await startTestRegistry();
    const of = (size: number): ReturnType<typeof blobOf> & { mediaType: string } => {
      const empty = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], annotations: { a: "" } });
      return { ...blobOf(empty.replace('"a":""', `"a":"${"x".repeat(size - empty.length)}"`)), mediaType: OCI_INDEX };
    };
    expect((await pushManifest(url, NAME, "large", of(4 * 1024 * 1024))).status).toBe(201);
    expect((await ask(url, `/v2/${NAME}/manifests/large`)).body).toHaveLength(4 * 1024 * 1024);
    expect((await pushManifest(url, NAME, "larger", of(4 * 1024 * 1024 + 1))).status).toBe(413);
  });

  it.each([
    ["artifact without layers", { artifactType: "application/vnd.example", layers: [] }],
    ["fields nobody knows", { custom: { deep: [1, { x: null }] } }],
    [
      "layers that registries don't keep",
      {
        layers: [
          {
            mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            digest: blobOf("elsewhere").digest,
            size: 9,
            urls: ["https://example.com/x"],
          },
        ],
      },
    ],
    [
      "data within a descriptor",
      { layers: [{ ...descriptorOf(image.config, "application/vnd.x"), data: image.config.bytes.toString("base64") }] },
    ],
  ])("takes a manifest with %s", async (_what, extra) => {
    const { url } = await startTestRegistry();
    const other = imageOf("b", 1000, extra);
    for (const blob of [image.config, other.config, ...other.layers]) await pushBlob(url, NAME, blob);
    expect((await pushManifest(url, NAME, "1.0", other.manifest)).status).toBe(201);
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`)).body).toEqual(other.manifest.bytes);
  });

  it("takes indexes: of indexes, empty ones, and sparse ones, whose other platforms are elsewhere", async () => {
    const { url } = await startTestRegistry();
    await pushImage(url, NAME, image);
    const sparse = indexOf([image, imageOf("elsewhere")]);
    expect((await pushManifest(url, NAME, "sparse", sparse)).status).toBe(201);
    const nested = {
      ...blobOf(
        JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [descriptorOf(sparse, OCI_INDEX)] }),
      ),
      mediaType: OCI_INDEX,
    };
    expect((await pushManifest(url, NAME, "nested", nested)).status).toBe(201);
    expect((await pushManifest(url, NAME, "empty", indexOf([]))).status).toBe(201);
    expect(await pullImage(url, NAME, image.manifest.digest)).toBe(image.manifest.digest);
  });
});

describe("Pushing Manifests with Subject, Listing Referrers", () => {
  const subject = imageOf("subject");
  const referrer = (type: string, extra = {}): ReturnType<typeof imageOf> =>
    imageOf(type, 100, {
      subject: descriptorOf(subject.manifest, OCI_MANIFEST),
      artifactType: type,
      annotations: { of: type },
      ...extra,
    });

  it("lists what refers to a manifest, with type and annotations; before the subject is there, too", async () => {
    const { url } = await startTestRegistry();
    const sbom = referrer("application/sbom");
    const plain = referrer("plain", { artifactType: undefined });
    for (const each of [sbom, plain]) {
      for (const blob of [each.config, ...each.layers]) await pushBlob(url, NAME, blob);
      const { headers } = await pushManifest(url, NAME, each.manifest.digest, each.manifest);
      expect(headers.get("oci-subject")).toBe(subject.manifest.digest);
    }
    const { status, headers, body } = await ask(url, `/v2/${NAME}/referrers/${subject.manifest.digest}`);
    expect([status, headers.get("content-type")]).toEqual([200, OCI_INDEX]);
    const list = JSON.parse(body.toString()) as { schemaVersion: number; manifests: object[] };
    const expected = [
      {
        ...descriptorOf(sbom.manifest, OCI_MANIFEST),
        artifactType: "application/sbom",
        annotations: { of: "application/sbom" },
      },
      {
        ...descriptorOf(plain.manifest, OCI_MANIFEST),
        artifactType: "application/vnd.oci.image.config.v1+json",
        annotations: { of: "plain" },
      },
    ];
    expect(list.manifests).toHaveLength(2);
    expect(list.manifests).toEqual(expect.arrayContaining(expected));
  });

  it("filters by artifactType and says so", async () => {
    const { url } = await startTestRegistry();
    for (const type of ["a/a", "b/b"]) await pushImage(url, NAME, referrer(type));
    const { headers, body } = await ask(url, `/v2/${NAME}/referrers/${subject.manifest.digest}?artifactType=a/a`);
    expect(headers.get("oci-filters-applied")).toBe("artifactType");
    expect((JSON.parse(body.toString()) as { manifests: object[] }).manifests).toHaveLength(1);
  });

  it("is an empty list where nothing refers, and 400 for no digest", async () => {
    const { url } = await startTestRegistry();
    const { status, body } = await ask(url, `/v2/${NAME}/referrers/${subject.manifest.digest}`);
    expect([status, (JSON.parse(body.toString()) as { manifests: object[] }).manifests]).toEqual([200, []]);
    expect((await ask(url, `/v2/${NAME}/referrers/sha256:abc`)).status).toBe(400);
  });

  it("forgets a referrer that is deleted", async () => {
    const { url } = await startTestRegistry();
    const sbom = referrer("application/sbom");
    await pushImage(url, NAME, sbom);
    await ask(url, `/v2/${NAME}/manifests/${sbom.manifest.digest}`, { method: "DELETE" });
    const { body } = await ask(url, `/v2/${NAME}/referrers/${subject.manifest.digest}`);
    expect((JSON.parse(body.toString()) as { manifests: object[] }).manifests).toEqual([]);
  });
});

describe("Listing Tags", () => {
  const tags = ["1.0", "A", "_x", "a", "b", "latest"];

  async function tagged(): Promise<string> {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image);
    for (const tag of tags.toReversed()) await pushManifest(url, NAME, tag, image.manifest);
    return url;
  }

  it("gives all in the order of their bytes", async () => {
    const url = await tagged();
    const { status, body } = await ask(url, `/v2/${NAME}/tags/list`);
    expect([status, JSON.parse(body.toString())]).toEqual([200, { name: NAME, tags }]);
  });

  it.each([
    ["n=0", [], false],
    ["n=2", ["1.0", "A"], true],
    ["n=2&last=A", ["_x", "a"], true],
    ["n=4&last=A", ["_x", "a", "b", "latest"], false],
    ["last=b", ["latest"], false],
    ["last=B", ["_x", "a", "b", "latest"], false],
    ["n=100", tags, false],
  ])("%s", async (query, expected, more) => {
    const url = await tagged();
    const { body, headers } = await ask(url, `/v2/${NAME}/tags/list?${query}`);
    expect((JSON.parse(body.toString()) as { tags: string[] }).tags).toEqual(expected);
    expect(headers.get("link") !== null).toBe(more);
  });

  it("links from page to page", async () => {
    const url = await tagged();
    const found: string[] = [];
    for (let path: string | undefined = `/v2/${NAME}/tags/list?n=2`; path;) {
      const { body, headers } = await ask(url, path);
      found.push(...(JSON.parse(body.toString()) as { tags: string[] }).tags);
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
    }
    expect(found).toEqual(tags);
  });

  it("answers 404 for a repository that isn't there, and 400 for no number", async () => {
    const url = await tagged();
    expect((await ask(url, "/v2/nowhere/tags/list")).code).toBe("NAME_UNKNOWN");
    expect((await ask(url, `/v2/${NAME}/tags/list?n=-1`)).status).toBe(400);
  });
});

describe("Listing repositories, which is distribution's own", () => {
  const ANN = { authorization: `Basic ${Buffer.from("ann:secret").toString("base64")}` };

  async function withRules(rules: object[]): Promise<string> {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "htpasswd"), `ann:${await hash("secret", 4)}\n`);
    const { url } = await startTestRegistry({ access: { htpasswd: "htpasswd", rules } }, folder);
    for (const name of ["secret/x", "team/x"]) await pushBlob(url, name, blobOf("x"), ANN);
    return url;
  }

  it("asks who it is, where not everybody may read everything", async () => {
    const url = await withRules([{ repositories: "secret/**", read: ["ann"] }]);
    const { status, headers } = await ask(url, "/v2/_catalog");
    expect([status, headers.get("www-authenticate")]).toEqual([401, 'Basic realm="waybill"']);
    const { body } = await ask(url, "/v2/_catalog", { headers: ANN });
    expect(JSON.parse(body.toString())).toEqual({ repositories: ["secret/x", "team/x"] });
  });

  it("asks nobody where everybody may read", async () => {
    const url = await withRules([{ repositories: "secret/**", write: ["ann"] }]);
    const { body } = await ask(url, "/v2/_catalog");
    expect(JSON.parse(body.toString())).toEqual({ repositories: ["secret/x", "team/x"] });
  });
});

describe("Content Management", () => {
  it("deletes a tag and leaves its manifest", async () => {
    const { url } = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(url, NAME, image, "1.0");
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`, { method: "DELETE" })).status).toBe(202);
    expect((await ask(url, `/v2/${NAME}/manifests/1.0`)).status).toBe(404);
    expect((await ask(url, `/v2/${NAME}/manifests/${image.manifest.digest}`)).status).toBe(200);
  });

  it.each([
    ["", {}],
    [" without mediaType", { mediaType: undefined }],
  ])("deletes a manifest%s and the tags that name it", async (_what, extra) => {
    const { url } = await startTestRegistry();
    const image = imageOf("a", 1000, extra);
    await pushImage(url, NAME, image, "1.0");
    expect((await ask(url, `/v2/${NAME}/manifests/${image.manifest.digest}`, { method: "DELETE" })).status).toBe(202);
    for (const reference of ["1.0", image.manifest.digest])
      expect((await ask(url, `/v2/${NAME}/manifests/${reference}`)).status).toBe(404);
  });

  it("deletes a blob from one repository and no other", async () => {
    const { url } = await startTestRegistry();
    const blob = blobOf("shared");
    for (const name of [NAME, "other"]) await pushBlob(url, name, blob);
    expect((await ask(url, `/v2/${NAME}/blobs/${blob.digest}`, { method: "DELETE" })).status).toBe(202);
    expect((await ask(url, `/v2/${NAME}/blobs/${blob.digest}`)).status).toBe(404);
    expect((await ask(url, `/v2/other/blobs/${blob.digest}`)).status).toBe(200);
  });

  it.each(["manifests/none", `manifests/${blobOf("x").digest}`, `blobs/${blobOf("x").digest}`])(
    "answers 404 for %s",
    async (path) => {
      const { url } = await startTestRegistry();
      expect((await ask(url, `/v2/${NAME}/${path}`, { method: "DELETE" })).status).toBe(404);
    },
  );
});

describe("Error Codes", () => {
  it.each(["Upper/Case", "-dash", "a//b", "a/_tags/x", "x".repeat(256)])("NAME_INVALID for %s", async (name) => {
    const { url } = await startTestRegistry();
    const { status, code } = await ask(url, `/v2/${name}/manifests/latest`);
    expect([status, code]).toEqual([400, "NAME_INVALID"]);
  });

  it("405 names the methods that would do", async () => {
    const { url } = await startTestRegistry();
    const { status, headers } = await ask(url, `/v2/${NAME}/tags/list`, { method: "DELETE" });
    expect([status, headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
