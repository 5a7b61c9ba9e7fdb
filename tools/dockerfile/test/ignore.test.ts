import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { contextFiles, parseIgnore, readIgnore } from "../src/index.ts";

describe("what .dockerignore leaves out", () => {
  test.each([
    ["a plain name, at the top only", "a", { a: true, "a/b": true, "c/a": false }],
    ["a leading or trailing slash, and ./", "/a/\n./b", { "a/x": true, b: true }],
    ["a folder by any of its parents", "a/b", { "a/b/c/d": true, "a/c": false }],
    ["a star within a folder", "*.md\n*/t", { "x.md": true, "a/x.md": false, "a/t": true, "a/b/t": false }],
    ["two stars anywhere", "**/*.md", { "x.md": true, "a/b/x.md": true }],
    ["two stars before plain text, inside names too", "**.log", { "x.log": true, "a/x.log": true }],
    ["two stars at the end: what is inside, not the folder", "a/**", { a: false, "a/b": true, "a/b/c": true }],
    ["a question mark, never a slash", "a?c", { abc: true, "a/c": false }],
    ["a class", "[a-c]x", { bx: true, dx: false }],
    ["an escaped star", "\\*", { "*": true, a: false }],
    ["the last match wins", "*\n!src\nsrc/**/*.md", { README: true, "src/a.ts": false, "src/b/c.md": true }],
    ["an exception wins over what came before it alone", "!src\n*", { "src/a": true }],
    ["comments, blanks and a lone !", "# a\n\n  b  \n!", { a: false, b: true, "# a": false }],
    ["a # that isn't first is a name", " #a", { "#a": true }],
    // patternmatcher hands on only the patterns it asked: `!a` was no use at "a", so it isn't at "a/x" either.
    ["an exception that a parent had no use for", "a/x\n!a", { "a/x": true, "a/y": false }],
  ])("%s", (_, text, expected) => {
    const ignore = parseIgnore(text);
    const actual = Object.keys(expected).map((path) => [path, ignore.ignores(path)]);
    expect(Object.fromEntries(actual)).toEqual(expected);
  });

  test("only a file that begins by ignoring everything is an allow-list", () => {
    expect(["*\n!a", "**", "**/*\n!b"].map((text) => parseIgnore(text).isAllowList)).toEqual([true, true, true]);
    expect(["", "a\n*", "!a"].map((text) => parseIgnore(text).isAllowList)).toEqual([false, false, false]);
  });
});

describe("the context's files", () => {
  test("come with their sizes, and ignored folders are entered for an exception", async () => {
    const folder = await tree({
      "src/a.ts": "12345",
      "src/b/x.md": "1",
      "vendor/keep/k": "12",
      "vendor/drop/d": "1",
      README: "1",
    });
    const ignore = parseIgnore("*\n!src\n**/*.md\n!vendor/keep");
    expect(await contextFiles(folder, ignore)).toEqual([
      { path: "src/a.ts", size: 5 },
      { path: "vendor/keep/k", size: 2 },
    ]);
  });

  test("a Dockerfile's own ignore file wins over the folder's; none sends everything", async () => {
    const folder = await tree({ ".dockerignore": "a", "x.Dockerfile.dockerignore": "b", a: "", b: "" });
    const own = await readIgnore(folder, join(folder, "x.Dockerfile"));
    expect([own.ignores("a"), own.ignores("b")]).toEqual([false, true]);
    expect((await readIgnore(folder)).ignores("a")).toBe(true);
    expect((await readIgnore(join(folder, "elsewhere"))).patterns).toEqual([]);
  });
});

async function tree(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-context-"));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}
