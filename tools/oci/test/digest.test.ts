import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { digestOf, digestOfStream, parseDigest, verifying } from "@waybill/oci";

const EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

describe("a digest", () => {
  it("names bytes, whether they come at once or as a stream", async () => {
    const bytes = Buffer.from("waybill");
    expect(digestOf("")).toBe(EMPTY);
    expect(await digestOfStream(Readable.from([bytes]))).toEqual({ digest: digestOf(bytes), size: 7 });
    expect((await digestOfStream(Readable.from([bytes]), "sha512")).digest).toBe(digestOf(bytes, "sha512"));
  });

  it.each([
    "",
    "sha256",
    "sha256:",
    "sha256:abc",
    `sha256:${"A".repeat(64)}`,
    `sha512:${"a".repeat(64)}`,
    `${EMPTY}\n`,
    "sha256:../x",
  ])("is not %j", (text) => expect(() => parseDigest(text)).toThrow(/is not a digest: write sha256:/));
});

describe("a verified stream", () => {
  const content = Buffer.from("waybill");
  const read = (bytes: Buffer, size?: number) =>
    Readable.from([bytes])
      .compose(verifying(digestOf(content), size, "here"))
      .toArray();

  it("gives the bytes it was promised", async () => {
    expect(Buffer.concat(await read(content, 7))).toEqual(content);
  });

  it.each([
    ["other bytes", "waybills", undefined, /expected sha256:.* but the content is sha256:.*, here/],
    ["fewer bytes", "way", 7, /expected 7 bytes for sha256:.* but got 3, here/],
    ["more bytes", "waybill!", 7, /expected 7 bytes for sha256:.* but got more, here/],
  ])("fails for %s", async (_what, text, size, message) => {
    await expect(read(Buffer.from(text), size)).rejects.toThrow(message);
  });
});
