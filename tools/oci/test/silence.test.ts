// A registry that stops in the middle of an answer.

import { describe, expect, it } from "vitest";
import { clientOf, faultyRegistry } from "./faulty-registry.ts";
import { digestOf } from "../src/digest.ts";

const TYPE = "application/vnd.oci.image.manifest.v1+json";

describe("a registry that falls silent", () => {
  it("in the middle of a manifest is given up", async () => {
    const registry = await faultyRegistry((_asked, response) => {
      response.writeHead(200, { "content-type": TYPE, "content-length": 500 }).write("{");
    });
    const client = clientOf(registry, { answerTimeoutMs: 200 });
    await expect(client.getManifest("a/b", "1.0")).rejects.toThrow(/^no answer from the registry within 200 ms/);
    expect(registry.asked).toHaveLength(1);
  });

  it("in the middle of a blob is asked for the rest", async () => {
    const bytes = "0123456789";
    const registry = await faultyRegistry(({ range }, response) => {
      if (range === undefined) response.writeHead(200, { "content-length": bytes.length }).write("0123");
      else response.writeHead(206).end(bytes.slice(Number(/\d+/.exec(range)?.[0])));
    });
    const { size, body } = await clientOf(registry).blobs.open("a/b", digestOf(bytes), 200);
    const read = await Array.fromAsync(body, (chunk) => chunk.bytes);
    expect([size, Buffer.concat(read).toString()]).toEqual([10, bytes]);
    expect(registry.asked.map(({ range }) => range)).toEqual([undefined, "bytes=4-"]);
  });
});

describe("what refers to a manifest", () => {
  const subject = digestOf("subject");
  const descriptor = { mediaType: TYPE, digest: digestOf("sbom"), size: 4 };
  const index = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [descriptor],
  });

  it("is found by the tag schema where a registry doesn't know the question", async () => {
    const registry = await faultyRegistry(({ path }, response) => {
      const known = path.endsWith(`/manifests/${subject.replace(":", "-")}`);
      response
        .writeHead(known ? 200 : 404, { "content-type": "application/vnd.oci.image.index.v1+json" })
        .end(known ? index : "");
    });
    expect(await clientOf(registry).listReferrers("a/b", subject)).toEqual([descriptor]);
  });

  it("is gathered from all pages", async () => {
    const registry = await faultyRegistry(({ path }, response) => {
      const more = path.includes("page=2") ? {} : { link: `<${path}?page=2>; rel="next"` };
      response.writeHead(200, { "content-type": "application/vnd.oci.image.index.v1+json", ...more }).end(index);
    });
    expect(await clientOf(registry).listReferrers("a/b", subject)).toEqual([descriptor, descriptor]);
  });
});
