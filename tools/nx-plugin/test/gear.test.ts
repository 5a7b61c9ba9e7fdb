// Images that others are tested with: built before the tests, seen by the tests, never part of the image.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

const image = (name: string, more: object = {}) => ({
  [`images/${name}/.dockerignore`]: "*\n!src\n",
  [`images/${name}/src/file`]: "1\n",
  [`images/${name}/README.md`]: `# ${name}\n`,
  [`images/${name}/project.json`]: {
    name,
    metadata: { image: { healthcheck: "none: nothing runs in it, the test only builds it" } },
  },
  [`images/${name}/package.json`]: { name: `@waybill/${name}`, private: true, version: "0.1.0", ...more },
});

const FILES = {
  ...image("base"),
  "images/base/Dockerfile": "FROM scratch\nCOPY src /base\nUSER 65532\n",
  ...image("gear"),
  "images/gear/Dockerfile": "FROM scratch\nCOPY src /gear\nUSER 65532\n",
  ...image("app", {
    dependencies: { "@waybill/base": "0.1.0" },
    devDependencies: { "@waybill/gear": "0.1.0", "@waybill/testing": "0.0.0" },
  }),
  "images/app/Dockerfile": "FROM waybill/base\nCOPY src /app\nUSER 65532\n",
};

describe("an image with gear among its devDependencies", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.create(FILES);
  });
  afterAll(() => workspace.remove());

  /** Runs a target of `app`; which tasks ran, and whether each came from the cache. */
  async function run(target: string): Promise<Record<string, "ran" | "cached">> {
    const { exitCode, stdout, stderr } = await workspace.nx("run", `app:${target}`, "--output-style=stream");
    if (exitCode !== 0) throw new Error(`exit code ${exitCode}\n${stdout}\n${stderr}`);
    const tasks = stdout.matchAll(
      /nx run ([a-z]+:[a-z-]+) *(\[(?:local cache|existing outputs match the cache)[^\]]*\])?/g,
    );
    return Object.fromEntries(Array.from(tasks, ([, task, cached]) => [task, cached === undefined ? "ran" : "cached"]));
  }

  test("is built without it", async () => {
    expect(await run("docker-build")).toEqual({ "base:docker-build": "ran", "app:docker-build": "ran" });
  });

  test("is tested after it was built", async () => {
    expect(await run("test")).toEqual({
      "base:docker-build": "cached",
      "app:docker-build": "cached",
      "gear:docker-build": "ran",
      "app:lint": "ran",
      "app:size": "ran",
      "app:test": "ran",
    });
  });

  test("is tested again when the gear changes, and not built again", async () => {
    await workspace.write({ "images/gear/src/file": "2\n" });
    expect(await run("test")).toMatchObject({
      "gear:docker-build": "ran",
      "base:docker-build": "cached",
      "app:docker-build": "cached",
      "app:lint": "cached",
      "app:test": "ran",
    });
  });

  test("is tested with the gear that is there, where only its README changes", async () => {
    await workspace.write({ "images/gear/README.md": "# More\n" });
    expect(await run("test")).toMatchObject({ "gear:docker-build": "cached", "app:test": "cached" });
  });

  test("is affected by the gear", async () => {
    const { stdout } = await workspace.nx("show", "projects", "--affected", "--files=images/gear/src/file");
    expect(stdout.split("\n")).toContain("app");
  });
});
