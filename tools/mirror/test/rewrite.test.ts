// References to and from a mirror. Properties are tried on thousands of references made at random from a fixed seed.

import { describe, expect, test } from "vitest";
import { fromMirror, mirrorAt, rewriteText, toMirror } from "@waybill/mirror/rewrite";
import { formatReference, parseReference } from "@waybill/oci";
import type { Reference } from "@waybill/oci";
import { makeConfig } from "@waybill/registry";
import { waybill } from "../src/backend/waybill.ts";

const MIRROR = mirrorAt("http://localhost:5000");
const to = toMirror(MIRROR);
const back = fromMirror(MIRROR);
const there = (text: string): string => formatReference(to(parseReference(text)) ?? parseReference(text));

const SHA = `sha256:${"a".repeat(64)}`;

describe("a reference", () => {
  test.each([
    ["debian", "localhost:5000/docker.io/library/debian"],
    ["debian:13", "localhost:5000/docker.io/library/debian:13"],
    ["index.docker.io/debian:13", "localhost:5000/docker.io/library/debian:13"],
    ["vllm/vllm-openai:latest", "localhost:5000/docker.io/vllm/vllm-openai:latest"],
    [`ghcr.io/acme/api@${SHA}`, `localhost:5000/ghcr.io/acme/api@${SHA}`],
    [`ghcr.io/acme/api:1.0@${SHA}`, `localhost:5000/ghcr.io/acme/api:1.0@${SHA}`],
    ["reg.example.com:8443/api:1", "localhost:5000/reg.example.com__8443/api:1"],
    ["localhost/mine:1", "localhost:5000/localhost/mine:1"],
    ["localhost:5001/mine:1", "localhost:5000/localhost__5001/mine:1"],
    ["[::1]:5001/mine:1", "localhost:5000/0-0-0-0-0-0-0-1__ip6__5001/mine:1"],
    ["Quay.IO/team/api:V1", "localhost:5000/quay.io/team/api:V1"],
    // The mirror's already, by any name of this machine.
    ["localhost:5000/ghcr.io/acme/api:1", "localhost:5000/ghcr.io/acme/api:1"],
    ["127.0.0.1:5000/team/api:1", "127.0.0.1:5000/team/api:1"],
    ["[::1]:5000/team/api:1", "[::1]:5000/team/api:1"],
  ])("%s is %s", (text, expected) => {
    expect(there(text)).toBe(expected);
  });

  test("that was pushed to the mirror has no other name", () => {
    for (const text of ["localhost:5000/team/api:1", "localhost:5000/api:1", "ghcr.io/acme/api:1"])
      expect(back(parseReference(text))).toBeUndefined();
  });

  test("is left alone where the mirror doesn't mirror its registry", () => {
    const mirror = waybill(makeConfig({ upstreams: { "ghcr.io": {} } }, "/nowhere"));
    expect(toMirror(mirror)(parseReference("quay.io/a/b:1"))).toBeUndefined();
    expect(formatReference(toMirror(mirror)(parseReference("GHCR.io/a/b:1")) as Reference)).toBe(
      "127.0.0.1:5000/ghcr.io/a/b:1",
    );
  });

  test("names this machine where the mirror listens for everybody", () => {
    const config = makeConfig({ listen: "0.0.0.0:5000", upstreams: { "*": {} } }, "/nowhere");
    for (const mirror of [waybill(config), waybill(config, "http://0.0.0.0:5000"), waybill(config, "http://[::]:5000")])
      expect(formatReference(toMirror(mirror)(parseReference("a:1")) as Reference)).toBe(
        "127.0.0.1:5000/docker.io/library/a:1",
      );
  });

  test("whose name gets too long is refused", () => {
    expect(() => there(`ghcr.io/${"a".repeat(240)}`)).toThrow(/the name is longer than 255 characters/);
  });
});

/** Park and Miller's generator: the same numbers in each run. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => (state = (state * 48_271) % 2_147_483_647) % limit;
}

function anyReference(random: (limit: number) => number): Reference {
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const hosts = [
    "docker.io",
    "ghcr.io",
    "a.b",
    "a-b.c",
    "localhost",
    "registry:5000",
    "a.b:5000",
    "a.b:50",
    "1.2.3.4",
    "5000.io",
  ];
  const addresses = ["[::1]", "[::1]:5000", "[1::2]:5", "[1:2:3:4:5:6:7:8]", "[fe80::]"];
  const parts = [
    "a",
    "b",
    "library",
    "docker.io",
    "ghcr.io",
    "a.b",
    "a__5000",
    "a.b__5000",
    "0-0-0-0-0-0-0-1__ip6",
    "localhost",
    "5000",
  ];
  const path = Array.from({ length: 1 + random(3) }, () => pick(parts)).join("/");
  const tag = pick(["", ":1", ":latest", ":V1_2-x"]);
  const digest = pick(["", "", `@${SHA}`, `@sha512:${"0".repeat(128)}`]);
  return parseReference(`${pick([...hosts, ...hosts, ...addresses])}/${path}${tag}${digest}`);
}

describe("5000 references at random", () => {
  const mirror = mirrorAt("https://mirror.example.com:5000");
  const [to, back] = [toMirror(mirror), fromMirror(mirror)];
  const random = randomOf(7);
  const all = Array.from({ length: 5000 }, () => anyReference(random));

  test("come back as they were", () => {
    for (const reference of all)
      expect(back(to(reference) as Reference), formatReference(reference)).toEqual(reference);
  });

  test("never become one", () => {
    const byImage = new Map<string, string>();
    for (const reference of all) {
      const name = formatReference(reference);
      const image = formatReference(to(reference) as Reference);
      expect(byImage.get(image) ?? name).toBe(name);
      byImage.set(image, name);
    }
    expect(byImage.size).toBeGreaterThan(2000);
  });

  test("are left alone once they are the mirror's", () => {
    for (const reference of all) expect(to(to(reference) as Reference)).toBeUndefined();
  });
});

describe("a file", () => {
  const cases: [string, string, string][] = [
    [
      "Dockerfile",
      'ARG BASE=debian:13 \\\n    OTHER="golang:1.24"\n# FROM debian:13\nARG V=1\nFROM --platform=$BUILDPLATFORM ${OTHER} AS build\nFROM ghcr.io/acme/base:${V} as debian\nCOPY --from=build /a /a\nCOPY --from=quay.io/x/y:1 /b /b\nRUN --mount=type=bind,from=busybox:1,target=/c true\nFROM $BASE\n',
      'ARG BASE=M/docker.io/library/debian:13 \\\n    OTHER="M/docker.io/library/golang:1.24"\n# FROM debian:13\nARG V=1\nFROM --platform=$BUILDPLATFORM ${OTHER} AS build\nFROM M/ghcr.io/acme/base:${V} as debian\nCOPY --from=build /a /a\nCOPY --from=M/quay.io/x/y:1 /b /b\nRUN --mount=type=bind,from=M/docker.io/library/busybox:1,target=/c true\nFROM $BASE\n',
    ],
    [
      "compose.yaml",
      "services:\r\n  a: {image: 'redis:7'}   # a\r\n  b:\r\n    image: \"minio/minio:${TAG:-latest}\"\r\n",
      "services:\r\n  a: {image: 'M/docker.io/library/redis:7'}   # a\r\n  b:\r\n    image: \"M/docker.io/minio/minio:${TAG:-latest}\"\r\n",
    ],
    [
      "docker-compose.yml",
      "\uFEFFx-a: &a\r\n  image: redis:7\r\nservices:\r\n  b: {<<: *a}\r\n",
      "\uFEFFx-a: &a\r\n  image: M/docker.io/library/redis:7\r\nservices:\r\n  b: {<<: *a}\r\n",
    ],
    [
      ".github/workflows/ci.yml",
      "jobs:\n  a:\n    container: node:24\n    services: {db: {image: postgres:17}}\n    steps:\n      - uses: docker://alpine:3\n      - uses: actions/checkout@v4\n",
      "jobs:\n  a:\n    container: M/docker.io/library/node:24\n    services: {db: {image: M/docker.io/library/postgres:17}}\n    steps:\n      - uses: docker://M/docker.io/library/alpine:3\n      - uses: actions/checkout@v4\n",
    ],
    [
      "values.yaml",
      "a:\n  image:\n    registry: quay.io # where\n    repository: x/y\n    tag: 1.10\nb:\n  image: {repository: redis, tag: '7'}\nc:\n  image: {registry: docker.io, repository: redis, tag: '7'}\n",
      "a:\n  image:\n    registry: M/quay.io # where\n    repository: x/y\n    tag: 1.10\nb:\n  image: {repository: M/docker.io/library/redis, tag: '7'}\nc:\n  image: {registry: M/docker.io/library, repository: redis, tag: '7'}\n",
    ],
    [
      "deploy.yaml",
      "apiVersion: v1\nkind: Pod\nspec:\n  initContainers:\n    - image: busybox\n  containers:\n    - {name: a, image: ghcr.io/a/b:1}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    image:\n      repository: ghcr.io/c/d\n      tag: 2.0.0\n",
      "apiVersion: v1\nkind: Pod\nspec:\n  initContainers:\n    - image: M/docker.io/library/busybox\n  containers:\n    - {name: a, image: M/ghcr.io/a/b:1}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  values:\n    image:\n      repository: M/ghcr.io/c/d\n      tag: 2.0.0\n",
    ],
    [
      "chart/templates/job.yaml",
      'spec:\n  - image: "busybox:1"\n    x: {{ .Values.x }}\n  - image: {{ .Values.image }}\n',
      'spec:\n  - image: "M/docker.io/library/busybox:1"\n    x: {{ .Values.x }}\n  - image: {{ .Values.image }}\n',
    ],
  ];

  test.each(cases)("%s has its names rewritten, and every other byte as it was", (path, before, after) => {
    const expected = after.replaceAll("M/", "localhost:5000/");
    const done = rewriteText(before, path, path, to);
    expect(done.text).toBe(expected);
    expect(done.left).toEqual([]);
    // Once is enough.
    expect(rewriteText(done.text, path, path, to)).toEqual({ text: expected, changed: 0, left: [] });
    // Back, they are what they were, written in full.
    const undone = rewriteText(done.text, path, path, back);
    expect(undone.text).toBe(after.replaceAll("M/", ""));
    expect(undone.changed).toBe(done.changed);
  });

  test("with names in parts is left alone there, and says so", () => {
    const text = "ARG REGISTRY=quay.io\nFROM ${REGISTRY}/a/b:1\nFROM debian:13\n";
    expect(rewriteText(text, "Dockerfile", "x/Dockerfile", to)).toEqual({
      text: text.replace("debian", "localhost:5000/docker.io/library/debian"),
      changed: 1,
      left: ["x/Dockerfile:2: its name is not written in one piece: rewrite it by hand"],
    });
  });
});
