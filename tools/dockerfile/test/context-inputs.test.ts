import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { WorkspaceContext } from "nx/src/native/index.js";
import { afterAll, describe, expect, test } from "vitest";
import { contextInputs, parseDockerfile, parseIgnore } from "../src/index.ts";
import { randomFrom } from "./random.ts";

function inputs(ignore: string, dockerfile: string, targets?: string[]): string[] {
  const { include, exclude } = contextInputs(parseIgnore(ignore), parseDockerfile(dockerfile, "D"), {}, targets);
  return [...include, ...exclude].map((glob) => glob.replace("{projectRoot}/", ""));
}

describe("inputs are as tight as Nx can say", () => {
  test("an allow-list becomes just its paths", () =>
    expect(inputs("*\n!src\n!go.mod", "FROM scratch\nCOPY . .")).toEqual(["go.mod", "go.mod/**/*", "src", "src/**/*"]));

  test("COPY of less narrows them further", () =>
    expect(inputs("*\n!src\n!go.mod", "FROM scratch\nCOPY go.mod src/main.go ./")).toEqual([
      "go.mod",
      "go.mod/**/*",
      "src/main.go",
      "src/main.go/**/*",
    ]));

  test("an exclusion stays one unless a later exception may lie below it", () => {
    expect(inputs("*\n!src\n**/*.md\nsrc/t", "FROM scratch\nCOPY . .")).toEqual([
      "src",
      "src/**/*",
      "!**/*.md",
      "!**/*.md/**/*",
      "!src/t",
      "!src/t/**/*",
    ]);
    expect(inputs("*\n!src\nsrc/t\n!src/t/keep", "FROM scratch\nCOPY . .")).toEqual(["src", "src/**/*"]);
  });

  test("what a build reads in any case is never excluded, though the ignore file names it", () => {
    const text = "Dockerfile\n.dockerignore\n*.json\n**/*.md\nDockerfile*";
    expect(inputs(text, "FROM scratch\nCOPY . .")).toEqual(["**/*", "!**/*.md", "!**/*.md/**/*"]);
  });

  test("nothing is visible where nothing is copied from the context", () =>
    expect(inputs("*\n!src", "FROM scratch\nCOPY --from=a/b /x /y\nADD https://x.test/f /f\nCOPY <<E /e\nE")).toEqual(
      [],
    ));

  test("bind mounts see their source, with variables put in", () => {
    const text =
      "FROM a\nARG D=src\nRUN --mount=source=$D/x,target=/x --mount=type=cache,target=/c --mount=type=bind,from=b,target=/b ls";
    expect(inputs("", text)).toEqual(["src/x", "src/x/**/*"]);
  });

  test("a named context has the paths that name it, and those alone", () => {
    const text =
      "FROM a AS test\nCOPY --from=shared-x tests /t\nFROM a\nCOPY --from=shared-x go.mod *.go /x/\nCOPY --from=shared-y . /y\nCOPY src /\nRUN --mount=from=shared-x,source=lib,target=/l ls";
    const dockerfile = parseDockerfile(text, "D");
    const seen = (context: string, targets?: string[]): string[] =>
      contextInputs(parseIgnore(""), dockerfile, {}, targets, context).include.filter((glob) => !glob.endsWith("/*"));
    expect(seen("shared-x")).toEqual(["*.go", "go.mod", "lib", "tests"].map((path) => `{projectRoot}/${path}`));
    expect(seen("shared-x", ["1"])).toEqual(["*.go", "go.mod", "lib"].map((path) => `{projectRoot}/${path}`));
    expect(contextInputs(parseIgnore(""), dockerfile, {}, undefined, "shared-y").include).toEqual([
      "{projectRoot}/**/*",
    ]);
    expect(inputs("", text)).toEqual(["src", "src/**/*"]);
  });

  test("a path whose variable has no value counts as all", () =>
    expect(inputs("", "FROM scratch\nARG D\nCOPY $D /")).toEqual(["**/*"]));

  test("a path by platform counts for every platform, and by build arg for the one that is given", () => {
    const text = "FROM scratch\nARG TARGETARCH D=src\nCOPY bin/$TARGETARCH $D /";
    expect(inputs("", text).filter((glob) => !glob.includes("*"))).toEqual(["bin/amd64", "bin/arm64", "src"]);
    const options = { platform: "linux/arm64", buildArgs: { D: "other" } };
    const { include } = contextInputs(parseIgnore(""), parseDockerfile(text, "D"), options);
    expect(include.filter((glob) => !glob.includes("*"))).toEqual(["{projectRoot}/bin/arm64", "{projectRoot}/other"]);
  });

  test("only the stages that are built count, where they are named", () => {
    const text = "FROM scratch AS build\nCOPY src .\nFROM build AS test\nCOPY test .\nFROM build AS final";
    expect(inputs("", text, ["final"])).toEqual(["src", "src/**/*"]);
    expect(inputs("", text, ["final", "test"])).toEqual(["src", "src/**/*", "test", "test/**/*"]);
  });

  test("names that mean something to Nx alone are kept as question marks", () =>
    expect(inputs("*\n!a(1)\na(1)/{x}", "FROM scratch\nCOPY . .")).toEqual(["a?1?", "a?1?/**/*"]));
});

describe("no file that a build sees is missed by Nx's own matcher", () => {
  const names = ["a", "b", "ab", "src", "x.md", "y.go", ".env", "c(1)", "d[0]", "e+f"];
  const root = mkdtempSync(join(tmpdir(), "waybill-inputs-"));
  afterAll(() => rmSync(root, { recursive: true }));
  const files = plant(root, names);
  const nx = new WorkspaceContext(root, join(root, ".cache"));
  const segments = [...names, "*", "**", "*.md", "?", "a*", "[ab]", "*b", "**.md", "c\\(1)"];

  test.each(Array.from({ length: 20 }, (_, seed) => seed))("seed %i", (seed) => {
    const random = randomFrom(seed);
    for (let round = 0; round < 20; round++) {
      const path = (): string =>
        Array.from({ length: 1 + random(3) }, () => segments[random(segments.length)]).join("/");
      const patterns = Array.from({ length: random(5) }, () => (random(2) === 0 ? "!" : "") + path());
      const text = [...(random(2) === 0 ? ["*"] : []), ...patterns].join("\n");
      const sources = Array.from({ length: 1 + random(2) }, () => (random(3) === 0 ? "." : path()));
      const dockerfile = `FROM scratch\nCOPY ${sources.join(" ")} /\n`;
      const ignore = parseIgnore(text);
      const seen = files.filter((file) => !ignore.ignores(file) && sources.some((source) => copies(source, file)));
      const { include, exclude } = contextInputs(ignore, parseDockerfile(dockerfile, "D"));
      const globs = [...include, ...exclude].map((glob) => glob.replace("{projectRoot}", "images/x"));
      const matched = new Set(include.length === 0 ? [] : nx.glob(globs).map((file) => file.slice("images/x/".length)));
      const missed = seen.filter((file) => !matched.has(file));
      expect({ text, dockerfile, globs, missed }).toEqual({ text, dockerfile, globs, missed: [] });
    }
  });
});

/** Files up to three folders deep, under every name. */
function plant(root: string, names: readonly string[]): string[] {
  const files = names.flatMap((one, index) => [
    `${one}.f`,
    ...names.map((two) => `${one}/${two}${(index + two.length) % 2 === 0 ? "" : `/${names[index]}`}`),
  ]);
  for (const file of files) {
    const path = join(root, "images/x", file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  }
  return files;
}

/** What COPY names, read as Go's filepath.Match reads it, part by part; "**" is taken for anything. */
function copies(source: string, file: string): boolean {
  if (source === ".") return true;
  const parts = file.split("/");
  return source.split("/").every((pattern, index) => {
    const part = parts[index];
    if (part === undefined) return false;
    const regex = pattern.replace(/\\(.)|\[ab\]|\*+|\?|[^\w]/g, (match, escaped: string | undefined) => {
      if (escaped !== undefined) return `\\${escaped}`;
      if (match === "[ab]") return match;
      return match.startsWith("*") ? ".*" : match === "?" ? "." : `\\${match}`;
    });
    return new RegExp(`^${regex}$`).test(part);
  });
}
