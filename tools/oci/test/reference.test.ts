import { describe, expect, it } from "vitest";
import { formatReference, isTag, parseReference } from "@waybill/oci";

const SHA256 = `sha256:${"a".repeat(64)}` as const;
const SHA512 = `sha512:${"b".repeat(128)}` as const;

describe("a reference", () => {
  it.each([
    ["debian", { registry: "docker.io", repository: "library/debian" }],
    ["debian:13", { registry: "docker.io", repository: "library/debian", tag: "13" }],
    ["waybill/static", { registry: "docker.io", repository: "waybill/static" }],
    ["index.docker.io/debian", { registry: "docker.io", repository: "library/debian" }],
    ["docker.io/library/debian", { registry: "docker.io", repository: "library/debian" }],
    ["ghcr.io/acme/api:1.0", { registry: "ghcr.io", repository: "acme/api", tag: "1.0" }],
    ["localhost/api", { registry: "localhost", repository: "api" }],
    ["localhost:5000/api", { registry: "localhost:5000", repository: "api" }],
    ["localhost:5000/api:1.0", { registry: "localhost:5000", repository: "api", tag: "1.0" }],
    ["127.0.0.1:5000/a/b/c", { registry: "127.0.0.1:5000", repository: "a/b/c" }],
    ["[::1]:5000/api", { registry: "[::1]:5000", repository: "api" }],
    ["REGISTRY/api", { registry: "REGISTRY", repository: "api" }],
    [`ghcr.io/acme/api@${SHA256}`, { registry: "ghcr.io", repository: "acme/api", digest: SHA256 }],
    [`ghcr.io/acme/api:1.0@${SHA512}`, { registry: "ghcr.io", repository: "acme/api", tag: "1.0", digest: SHA512 }],
    ["a__b/c---d/e.f_g", { registry: "docker.io", repository: "a__b/c---d/e.f_g" }],
    // A port needs a path after it: without one, these digits are a tag.
    ["registry:5000", { registry: "docker.io", repository: "library/registry", tag: "5000" }],
  ])("%s is parsed, and comes back from its whole form", (text, expected) => {
    const reference = parseReference(text);
    expect(reference).toEqual(expected);
    expect(parseReference(formatReference(reference))).toEqual(expected);
  });

  it.each([
    ["", /\[registry\/\]repository/],
    ["Debian", /in lower case/],
    ["ghcr.io/Acme/api", /in lower case/],
    ["https://ghcr.io/acme/api", /is not an image reference/],
    ["acme//api", /is not an image reference/],
    ["acme/api:", /is not an image reference/],
    ["acme/api:-x", /is not an image reference/],
    [`acme/api:${"t".repeat(129)}`, /is not an image reference/],
    ["acme/.api", /is not an image reference/],
    ["acme/../api", /is not an image reference/],
    ["api ", /is not an image reference/],
    ["api\nx", /"api\\nx" is not an image reference/],
    ["api@sha256:abc", /a digest is sha256: and 64/],
    [`api@${SHA256.toUpperCase().replace("SHA256", "sha256")}`, /lower-case hex/],
    [`api@md5:${"a".repeat(32)}`, /a digest is sha256/],
    [`ghcr.io/${"a".repeat(250)}`, /longer than 255/],
  ])("%j is refused, with the part that is wrong", (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
  });

  it("is refused in no time, however long it is", () => {
    const started = performance.now();
    expect(() => parseReference(`${"a-".repeat(50_000)}!`)).toThrow();
    expect(() => parseReference(`${"a.".repeat(50_000)}/`)).toThrow();
    expect(performance.now() - started).toBeLessThan(500);
  });
});

it.each([
  ["1.0", true],
  ["_x", true],
  [".x", false],
  ["a/b", false],
  ["", false],
])("%j as a tag: %s", (text, expected) => expect(isTag(text)).toBe(expected));
