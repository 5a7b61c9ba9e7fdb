import { expect, test } from "vitest";
import { type NewImage, type ValuesImage, editValues, valuesImages } from "../src/index.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;

const named = (text: string) =>
  valuesImages(text, "values.yaml").map(({ path, repository, tag, digest }) => [path, repository, tag, digest]);

function edited(text: string, to: NewImage): string {
  return editValues(
    text,
    valuesImages(text, "values.yaml").map((image) => ({ image, to })),
  );
}

test("images are named as pairs, with a registry apart, or as one reference", () => {
  const text = `
controllerManager:
  manager:
    image:
      repository: ghcr.io/acme/images/operator
      tag: 1.4.2
defaultImages:
  litellm: ghcr.io/berriai/litellm:v1.80.0
  ollama: ollama/ollama@${DIGEST}
proxy: {image: {registry: quay.io, repository: acme/proxy, tag: "1.10", digest: "${DIGEST}"}}
sidecars:
  - repository: redis
    tag: 8
`;
  expect(named(text)).toEqual([
    ["controllerManager.manager.image", "ghcr.io/acme/images/operator", "1.4.2", undefined],
    ["defaultImages.litellm", "ghcr.io/berriai/litellm", "v1.80.0", undefined],
    ["defaultImages.ollama", "docker.io/ollama/ollama", undefined, DIGEST],
    ["proxy.image", "quay.io/acme/proxy", "1.10", DIGEST],
    ["sidecars.0", "docker.io/library/redis", "8", undefined],
  ]);
});

test("what is no image is none: a git repository, a pull policy, an address, a port", () => {
  const text = `
source: {repository: https://github.com/acme/images}
image: {pullPolicy: Always}
imagePullSecrets: []
addr: localhost:5000
registryImage: ""
`;
  expect(named(text)).toEqual([]);
});

test("a new tag replaces the old one's characters, and nothing else", () => {
  const text = `# The operator\r
image:   # pinned by the release\r
  repository:   "ghcr.io/acme/operator"\r
  tag:    1.4.2   # keep\r
other: [1,   2]\r
`;
  expect(edited(text, { tag: "1.5.0" })).toBe(text.replace("1.4.2", "1.5.0"));
});

test.each([
  ["plain", "tag: 1.4.2", "tag: 1.5.0"],
  ["double", 'tag: "1.4.2"', 'tag: "1.5.0"'],
  ["single", "tag: '1.4.2'", "tag: '1.5.0'"],
])("quotes stay: %s", (_name, before, after) => {
  expect(edited(`repository: acme/x\n${before}\n`, { tag: "1.5.0" })).toBe(`repository: acme/x\n${after}\n`);
});

test("a tag that YAML would read as a number is quoted", () => {
  expect(edited("repository: acme/x\ntag: latest\n", { tag: "1.10" })).toBe('repository: acme/x\ntag: "1.10"\n');
  expect(edited("repository: acme/x\ntag: latest\n", { tag: "12" })).toBe('repository: acme/x\ntag: "12"\n');
});

test("a digest is written below the tag, in its column, in a list too", () => {
  const text = "a:\n  repository: acme/x\n  tag: 1.0.0 # why\nb:\n  - tag: 1.0.0\n    repository: acme/y\n";
  expect(edited(text, { tag: "1.1.0", digest: DIGEST })).toBe(
    `a:\n  repository: acme/x\n  tag: 1.1.0 # why\n  digest: ${DIGEST}\nb:\n  - tag: 1.1.0\n    digest: ${DIGEST}\n    repository: acme/y\n`,
  );
});

test("a digest of the version before is replaced, or emptied where none is to be pinned", () => {
  const text = `{repository: acme/x, tag: 1.0.0, digest: ${DIGEST}}\n`;
  const other = `sha256:${"cd".repeat(32)}`;
  expect(edited(text, { tag: "1.1.0", digest: other })).toBe(`{repository: acme/x, tag: 1.1.0, digest: ${other}}\n`);
  expect(edited(text, { tag: "1.1.0" })).toBe('{repository: acme/x, tag: 1.1.0, digest: ""}\n');
  expect(edited("{repository: acme/x, tag: 1.0.0}", { tag: "1.1.0", digest: other })).toBe(
    `{repository: acme/x, tag: 1.1.0, digest: ${other}}`,
  );
});

test("a digest under an image's key is no image of its own", () => {
  const text = `image:\n  digest: sha256:${"0".repeat(64)}\n`;
  expect(valuesImages(text, "values.yaml")).toEqual([]);
});

test("a pair tells where its registry and its repository are written", () => {
  const text = "image: {registry: quay.io, repository: 'a/b', tag: 1.10}\n";
  const [{ spans }] = valuesImages(text, "values.yaml") as [ValuesImage];
  const at = (name: "registry" | "repository" | "tag"): string => text.slice(spans[name]?.start, spans[name]?.end);
  expect([at("registry"), at("repository"), at("tag")]).toEqual(["quay.io", "'a/b'", "1.10"]);
});

test("a whole reference keeps its repository as it is written", () => {
  expect(edited("image: localhost:5000/acme/x:1.0.0\n", { tag: "1.1.0" })).toBe("image: localhost:5000/acme/x:1.1.0\n");
  expect(edited(`image: 'redis:8@${DIGEST}'\n`, { tag: "9.0.0", digest: DIGEST })).toBe(
    `image: 'redis:9.0.0@${DIGEST}'\n`,
  );
});

test("no YAML is one line with file and line", () => {
  expect(() => valuesImages("a:\n  b: [1\nc: 2\n", "charts/x/values.yaml")).toThrow(/charts\/x\/values\.yaml:\d/);
});
