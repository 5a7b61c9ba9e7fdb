import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readDeclaration } from "../src/declaration.ts";
import { SCHEMA_FILE } from "../src/json-schema.ts";
import { lineOfPath } from "../src/json-lines.ts";
import { formatLock, readLock } from "../src/lock-file.ts";
import { lockJsonSchema } from "../src/schema.ts";
import type { DebianPackage, ImageLock } from "../src/schema.ts";
import { temporaryFolder } from "./archive.ts";

function pin(name: string, arch = "amd64"): DebianPackage {
  return { name, version: "1.0", arch, sha256: "a".repeat(64), size: 3, path: `pool/main/x/${name}.deb` };
}

describe("a lock", () => {
  test("has one text whatever the order it was made in", () => {
    const tar = { kind: "npm", name: "name", version: "1.0.0", file: "name-1.0.0.tgz", integrity: "sha512-x" } as const;
    const one: ImageLock = {
      lockVersion: 1,
      packages: {
        name: { suite: "trixie", arm64: [pin("a")], amd64: [pin("b"), pin("a"), pin("B")] },
        a: { suite: "trixie" },
      },
      files: { z: [tar] },
      bases: {},
    };
    const other: ImageLock = {
      lockVersion: 1,
      packages: {
        a: { suite: "trixie" },
        name: { amd64: [pin("B"), pin("a"), pin("b")], suite: "trixie", arm64: [pin("a")] },
      },
      files: { z: [tar] },
      bases: {},
    };
    expect(formatLock(one)).toBe(formatLock(other));
    expect(
      formatLock(one)
        .split("\n")
        .filter((line) => line.trim().startsWith('{ "name"')),
    ).toHaveLength(4);
    expect(JSON.parse(formatLock(one))).toMatchObject({ packages: { name: { arm64: [pin("a")] } } });
  });

  test("tells every problem at once, each with its line", async () => {
    const folder = await temporaryFolder(onTestFinished);
    const lines = [
      "{",
      '  "lockVersion": 1,',
      '  "packages": {',
      '    "s": {',
      '      "suite": "trixie",',
      '      "amd64": [',
      `        { "name": "a", "version": "1", "arch": "amd64", "sha256": "${"a".repeat(64)}", "size": 1, "path": "pool/a.deb" },`,
      '        { "name": "b", "version": "1", "arch": "amd64", "sha256": "tree", "size": 1, "path": "../../etc/passwd" }',
      "      ]",
      "    }",
      "  },",
      '  "bases": { "docker.io/x": "latest" }',
      "}",
    ];
    await writeFile(join(folder, "image.lock.json"), lines.join("\n"));
    await expect(readLock(folder)).rejects.toThrow(
      /3 problem\(s\): line 8: packages.s.amd64.1.sha256: .*; line 8: packages.s.amd64.1.path: .*; line 12: bases.docker.io\/x: .*image.lock.json/,
    );
    await writeFile(join(folder, "image.lock.json"), "{ not json");
    await expect(readLock(folder)).rejects.toThrow(/not JSON .*image.lock.json/);
  });

  test("has a published schema that is the code's", async () => {
    const published: unknown = JSON.parse(await readFile(SCHEMA_FILE, "utf8"));
    expect(published, "mend it with: npx node tools/lock/src/json-schema.ts").toEqual(lockJsonSchema());
  });
});

describe("a declaration", () => {
  test("has defaults for all it needn't say", async () => {
    const folder = await temporaryFolder(onTestFinished);
    await writeFile(join(folder, "project.json"), '{ "name": "x" }');
    expect(await readDeclaration(folder)).toEqual({ packages: {}, files: {}, platforms: ["linux/amd64"] });
  });

  test("with names no one could mean is refused, with lines", async () => {
    const folder = await temporaryFolder(onTestFinished);
    const packages = { "My Set": { debian: ["ok"] }, s: { debian: ["Upper", "-o", "a/b/c"], dependency: false } };
    const files = { f: ["npm:tool", "gem:tool@1", "npm:tool@../../x"] };
    await writeFile(
      join(folder, "project.json"),
      JSON.stringify({ metadata: { image: { packages, files } } }, null, 1),
    );
    await expect(readDeclaration(folder)).rejects.toThrow(/^8 problem\(s\): line \d+: metadata.image.packages/);
  });

  test("that isn't there is told", async () => {
    await expect(readDeclaration(await temporaryFolder(onTestFinished))).rejects.toThrow(
      /file not found, .*project.json/,
    );
  });
});

test("a value's line is found through escapes, nesting and keys that look like others", () => {
  const text = '{\n "a\\"}": {"x": "]"},\n "b": [1, {"c": [\n2]},\n "t"],\n "a": true}';
  expect(lineOfPath(text, ['a"}', "x"])).toBe(2);
  expect(lineOfPath(text, ["b", 1, "c", 0])).toBe(4);
  expect(lineOfPath(text, ["b", 2])).toBe(5);
  expect(lineOfPath(text, ["a"])).toBe(6);
  expect(lineOfPath(text, ["b", 1, "absent"])).toBe(3);
});
