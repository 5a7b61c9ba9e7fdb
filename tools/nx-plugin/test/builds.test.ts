// `nx run-many -t docker-build` as users run it: what is built, what comes from the cache, and what the table says.

import { existsSync } from "node:fs";
import { glob, rm } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

/** `base` is what `app` and `other` stand on; `other` takes nothing else from anywhere. */
const FILES = {
  "images/bases/base/Dockerfile": "FROM scratch\nCOPY src /src\n",
  "images/bases/base/.dockerignore": "*\n!src\n",
  "images/bases/base/src/file": "base 1\n",
  "images/app/Dockerfile": "ARG BASE=waybill/base\nFROM ${BASE}\nCOPY src /app\n",
  "images/app/.dockerignore": "*\n!src\n",
  "images/app/src/file": "app 1\n",
  "images/app/package.json": { name: "@waybill/app", private: true, version: "0.1.0" },
  "images/app/project.json": { name: "app" },
  "images/other/Dockerfile": "FROM waybill/base\nUSER 65532\n",
  "images/other/.dockerignore": "*\n",
};

/** From the table: where each image's record came from. */
function sources(output: string): Record<string, string> {
  const rows = output.matchAll(
    /^ {2}(app|base|other) {2,}([0-9a-f]{12})?.* (built|local|remote|rebuilt|failure|skipped)\b/gm,
  );
  return Object.fromEntries(Array.from(rows, ([, name, , source]) => [name, source]));
}

describe("docker-build", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.create(FILES);
  });
  afterAll(() => workspace.remove());

  async function build(): Promise<Record<string, string>> {
    const { exitCode, stdout, stderr } = await workspace.nx("run-many", "-t", "docker-build");
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}\n${stdout}\n${stderr}`);
    return sources(stdout);
  }

  const digests = async (): Promise<string[]> =>
    Promise.all(["bases/base", "app", "other"].map(async (name) => (await workspace.record(name)).digest));

  test("builds every image once, and takes all from the cache after that", async () => {
    expect(await build()).toEqual({ app: "built", base: "built", other: "built" });
    const before = await digests();
    expect(await build()).toEqual({ app: "local", base: "local", other: "local" });
    expect(await digests()).toEqual(before);
  });

  test("rebuilds nothing for a README, a test, a changelog, a version or a budget", async () => {
    await workspace.write({
      "images/app/README.md": "# App\n",
      "images/app/CHANGELOG.md": "1.0.0\n",
      "images/app/test/app.test.ts": "// none yet\n",
      "images/app/package.json": { name: "@waybill/app", private: true, version: "1.0.0" },
      "images/app/project.json": { name: "app", metadata: { image: { budget: { compressed: "1 MB" } } } },
    });
    expect(await build()).toEqual({ app: "local", base: "local", other: "local" });
  });

  test("rebuilds one image for one of its source files", async () => {
    await workspace.write({ "images/app/src/file": "app 2\n" });
    expect(await build()).toEqual({ app: "built", base: "local", other: "local" });
  });

  test("rebuilds the base alone for a comment in its Dockerfile: it has the same digest after that", async () => {
    const before = await digests();
    await workspace.write({ "images/bases/base/Dockerfile": "# A comment.\nFROM scratch\nCOPY src /src\n" });
    expect(await build()).toEqual({ app: "local", base: "built", other: "local" });
    expect(await digests()).toEqual(before);
  });

  test("rebuilds the base and what stands on it for a change in the base", async () => {
    const before = await digests();
    await workspace.write({ "images/bases/base/src/file": "base 2\n" });
    expect(await build()).toEqual({ app: "built", base: "built", other: "built" });
    const after = await digests();
    expect(after.filter((digest) => before.includes(digest))).toEqual([]);
    const [base] = (await workspace.record("app")).bases;
    expect(base).toEqual({ reference: "waybill/base", digest: after[0] });
  });

  test("makes the images of cached records again where their bytes are gone", async () => {
    const before = await digests();
    await rm(workspace.store, { recursive: true });
    for (const folder of ["bases/base", "app", "other"]) {
      await rm(workspace.path(`images/${folder}/dist`), { recursive: true });
    }
    expect(await build()).toEqual({ app: "rebuilt", base: "rebuilt", other: "rebuilt" });
    expect(await digests()).toEqual(before);
    for (const folder of ["bases/base", "app", "other"]) {
      expect(existsSync(workspace.path(`images/${folder}/dist/layout/index.json`))).toBe(true);
    }
    expect(await workspace.leftovers()).toEqual([]);
  });

  test("fails where an image made again is another than the cached record says", async () => {
    const { digest } = await workspace.record("app");
    const wrong = `sha256:${"0".repeat(64)}`;
    for await (const file of glob(".state/cache/**/app/dist/image.json", { cwd: workspace.folder })) {
      await workspace.write({ [file]: (await workspace.read(file)).replace(digest, wrong) });
    }
    await rm(workspace.path("images/app/dist"), { recursive: true });
    const { exitCode, stdout } = await workspace.nx("run-many", "-t", "docker-build");
    expect(stdout).toContain(`  app was rebuilt to ${digest}, its record says ${wrong}, images/app/dist/image.json: `);
    expect(sources(stdout)).toEqual({ app: "failure", base: "local", other: "local" });
    expect(exitCode).toBe(1);
  });

  test("builds on a base whose record came from the cache without bytes", async () => {
    await rm(workspace.store, { recursive: true });
    await workspace.write({ "images/app/src/file": "app 3\n" });
    expect(await build()).toMatchObject({ app: "built" });
    expect((await workspace.record("app")).bases[0]?.digest).toBe((await workspace.record("bases/base")).digest);
  });
});

describe("a folder that images share", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    const uses = (name: string): string =>
      `FROM scratch AS test\nCOPY --from=shared-words tests /t\nFROM scratch\nCOPY --from=shared-words ${name} /\n`;
    workspace = await Workspace.create({
      "images/shared/words/README.md": "Words.\n",
      "images/shared/words/one": "one\n",
      "images/shared/words/two": "two\n",
      "images/shared/words/tests/one.test": "one\n",
      "images/app/Dockerfile": uses("one"),
      "images/base/Dockerfile": uses("one two"),
      "images/other/Dockerfile": "FROM scratch\nCOPY src /\n",
      "images/other/src/file": "other\n",
    });
  });
  afterAll(() => workspace.remove());

  async function build(): Promise<Record<string, string>> {
    const { exitCode, stdout, stderr } = await workspace.nx("run-many", "-t", "docker-build");
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}\n${stdout}\n${stderr}`);
    return sources(stdout);
  }

  test("rebuilds the images that see the file that changed, and no other", async () => {
    expect(await build()).toEqual({ app: "built", base: "built", other: "built" });
    const changes = [
      ["README.md", { app: "local", base: "local" }],
      ["tests/one.test", { app: "local", base: "local" }],
      ["two", { app: "local", base: "built" }],
      ["one", { app: "built", base: "built" }],
    ] as const;
    for (const [file, expected] of changes) {
      await workspace.write({ [`images/shared/words/${file}`]: "changed\n" });
      expect(await build(), file).toEqual({ ...expected, other: "local" });
    }
  });

  test("makes what uses it affected, and is what `explain` names", async () => {
    await workspace.write({ "images/shared/words/two": "changed again\n" });
    const { stdout } = await workspace.waybill("explain", "base");
    expect(stdout).toContain("images/shared/words/two changed");
    const affected = await workspace.nx("show", "projects", "--affected", "--files=images/shared/words/two", "--json");
    expect(JSON.parse(affected.stdout)).toEqual(["base"]);
  });

  test("that isn't there is one line, with its place and those there are", async () => {
    await workspace.write({ "images/app/Dockerfile": "FROM scratch\nCOPY --from=shared-wrods one /\n" });
    const { exitCode, stderr } = await workspace.waybill("build", "app");
    expect(stderr).toBe(
      "waybill: there is no folder images/shared/wrods, images/app/Dockerfile:2: the shared folders are words\n",
    );
    expect(exitCode).toBe(2);
  });
});
