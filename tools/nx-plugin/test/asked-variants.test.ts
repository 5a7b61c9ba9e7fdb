// Variants that are built where they are asked for: by a flag, or by the environment, which Nx then has in the hash.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

const FILES = {
  "images/app/Dockerfile":
    "FROM scratch AS large\nCOPY large /large\nFROM scratch AS debug\nCOPY file /debug\nFROM scratch\nCOPY file /file\n",
  "images/app/.dockerignore": "*\n!file\n!large\n",
  "images/app/file": "app\n",
  "images/app/large": "gigabytes\n",
  "images/app/project.json": {
    name: "app",
    metadata: { image: { variants: { debug: { target: "debug" }, large: { target: "large", when: "asked" } } } },
  },
  "images/other/Dockerfile": "FROM scratch\nCOPY file /file\n",
  "images/other/.dockerignore": "*\n!file\n",
  "images/other/file": "other\n",
};

describe("a variant that is asked for", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => void (workspace = await Workspace.create(FILES)));
  afterAll(() => workspace.remove());

  const variants = async (): Promise<string[]> => Object.keys((await workspace.record("app")).variants);

  /** From the table: "built" or "local", by image. */
  async function build(asked?: string): Promise<Record<string, string>> {
    const options = { env: { WAYBILL_VARIANTS: asked } };
    const { exitCode, stdout, stderr } = await workspace.nxWith(options, "run-many", "-t", "docker-build");
    expect(exitCode, stdout + stderr).toBe(0);
    const rows = stdout.matchAll(/^ {2}(app|other) {2,}.* (built|local)\b/gm);
    return Object.fromEntries(Array.from(rows, ([, name, source]) => [name, source]));
  }

  test("comes with the flag alone, and is built again with the image", async () => {
    await workspace.build("app");
    expect(await variants()).toEqual(["debug"]);
    const { digest } = await workspace.record("app");
    expect(await workspace.waybill("build", "app", "--variant", "large")).toMatchObject({ exitCode: 0 });
    expect(await variants()).toEqual(["debug", "large"]);
    expect((await workspace.record("app")).digest).toBe(digest);
    expect(await workspace.waybill("reproduce", "app")).toMatchObject({ exitCode: 0 });
  });

  test("is part of the hash by the environment, of its own image only", async () => {
    expect(await build()).toEqual({ app: "built", other: "built" });
    expect(await variants()).toEqual(["debug"]);
    expect(await build("app:large")).toEqual({ app: "built", other: "local" });
    expect(await variants()).toEqual(["debug", "large"]);
    expect(await build()).toEqual({ app: "local", other: "local" });
    expect(await variants()).toEqual(["debug"]);
  });

  test.each([
    [["--variant", "huge"], undefined, "app has no variant huge, images/app: its variants are debug, large"],
    [[], "app:huge", "app has no variant huge"],
    [[], "ap:large", 'WAYBILL_VARIANTS asks for "ap:large"'],
    [[], "large", 'WAYBILL_VARIANTS asks for "large"'],
  ])("that is none: %j %s", async (flags, asked, message) => {
    const options = { env: { WAYBILL_VARIANTS: asked } };
    const { exitCode, stderr } = await workspace.waybillWith(options, "build", "app", ...flags);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  });
});
