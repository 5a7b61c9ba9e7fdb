// Lists of images: what a line may say, and that the ready ones are sound.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadList, merged, parseList, readyLists } from "@waybill/mirror/lists";
import { scanFolder } from "@waybill/mirror/scan";
import { formatReference } from "@waybill/oci";

const names = (text: string): string[] => parseList(text, "a.txt").map(({ reference }) => formatReference(reference));

describe("a list", () => {
  test("is a reference a line, with platforms and comments", () => {
    const text =
      "# head\r\n\ndebian:13   # the base\nghcr.io/acme/api:1 linux/amd64,linux/arm64/v8\r\n  quay.io/a/b#c\n";
    expect(() => parseList(text, "a.txt")).toThrow(/^"quay\.io\/a\/b#c" is not an image reference, a\.txt:5: /);
    expect(parseList(text.replace("#c", ""), "a.txt")).toEqual([
      { reference: { registry: "docker.io", repository: "library/debian", tag: "13" }, where: "a.txt:3" },
      {
        reference: { registry: "ghcr.io", repository: "acme/api", tag: "1" },
        platforms: ["linux/amd64", "linux/arm64/v8"],
        where: "a.txt:4",
      },
      { reference: { registry: "quay.io", repository: "a/b" }, where: "a.txt:5" },
    ]);
  });

  test.each([
    ["Debian:13", /^"Debian:13" is not an image reference, a\.txt:1: /],
    ["debian:13 linux", /^"linux" is not a platform, a\.txt:1: write os\/architecture/],
    ["debian:13 linux/amd64, linux/arm64", /^a line is a reference and, after it, platforms with commas, a\.txt:1$/],
    ["debian:13\n\ndocker.io/library/debian:13", /^docker\.io\/library\/debian:13 stands in line 1 already, a\.txt:3$/],
    ["a b\nC", /^"b" is not a platform, a\.txt:1: .*; "C" is not an image reference, a\.txt:2: /],
  ])("with %j is refused with its lines", (text, message) => {
    expect(() => names(text)).toThrow(message);
  });

  test("has each image once when several are put together, with the platforms of all", () => {
    const all = merged([
      ...parseList("a:1 linux/amd64\nb:1 linux/amd64\nc:1", "one.txt"),
      ...parseList("a:1 linux/arm64\nb:1\nc:1 linux/arm64\nc:2", "two.txt"),
    ]);
    expect(all.map(({ reference, platforms }) => [reference.repository + reference.tag, platforms])).toEqual([
      ["library/a1", ["linux/amd64", "linux/arm64"]],
      ["library/b1", undefined],
      ["library/c1", undefined],
      ["library/c2", undefined],
    ]);
  });

  test("that isn't there is said to be so, with those that are", async () => {
    await expect(loadList("none.txt", "/nowhere")).rejects.toThrow(
      /^there is no list none\.txt, \/nowhere\/none\.txt: name a file, or one of inference, waybill$/,
    );
  });
});

describe("the ready lists", () => {
  test.each(readyLists())("%s is sound, and says of each image where it is from", async (name) => {
    const text = await readFile(new URL(`../lists/${name}.txt`, import.meta.url), "utf8");
    const wanted = await loadList(name);
    expect(wanted.length).toBeGreaterThan(0);
    // Whole names: nobody has to know what Docker Hub adds.
    for (const { reference } of wanted) expect(text).toContain(formatReference(reference));
  });

  test("inference has what kdevops mirrors", async () => {
    const held = (await loadList("inference")).map(({ reference }) => formatReference(reference));
    expect(held).toEqual(
      expect.arrayContaining([
        "docker.io/vllm/vllm-openai:latest",
        "docker.io/openeuler/vllm-cpu:latest",
        "ghcr.io/vllm-project/production-stack/router:latest",
        "docker.io/lmcache/vllm-openai:2025-05-27-v1",
        "docker.io/lmcache/vllm-openai:latest-nightly",
      ]),
    );
    for (const part of ["minio/minio", "milvusdb/milvus", "etcd", "library/registry"])
      expect(held.join("\n")).toContain(part);
  });

  test("waybill has every image of others that our charts name", async () => {
    const { images } = await scanFolder(fileURLToPath(new URL("../../../charts", import.meta.url)));
    const others = images
      .map(({ reference }) => formatReference(reference))
      .filter((name) => !name.startsWith("ghcr.io/acme/"));
    const held = (await loadList("waybill")).map(({ reference }) => formatReference(reference));
    expect(held.toSorted()).toEqual([...new Set(others)].sort());
  });
});
