// One image that is wrong must not stop the others, and what Nx prints of it is one line.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "@waybill/oci";
import { Workspace } from "../../image/test/support/workspace.ts";

const GOOD = { "images/good/Dockerfile": "FROM scratch\nUSER 65532\nCOPY file /file\n", "images/good/file": "good\n" };

describe("nx run-many -t docker-build", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  let result: RunResult;
  beforeAll(async () => {
    workspace = await Workspace.create({
      ...GOOD,
      "images/syntax/Dockerfile": "FROM scratch\nCOPPY a /a\n",
      "images/budget/Dockerfile": "FROM scratch\nCOPY a /a\n",
      "images/budget/project.json":
        '{\n"name": "budget",\n"metadata": { "image": { "budget": { "compressed": "ten" } } }\n}',
      "images/on-budget/Dockerfile": "FROM waybill/budget\n",
      "images/one/Dockerfile": "FROM waybill/two\n",
      "images/two/Dockerfile": "FROM scratch\nCOPY --from=waybill/one /a /a\n",
      "images/nope/Dockerfile": "FROM waybill/nowhere\n",
    });
    result = await workspace.nx("run-many", "-t", "docker-build", "--parallel", "2");
  }, 120_000);
  afterAll(() => workspace.remove());

  const problems = (): string[] => result.stdout.split("\n").filter((line) => line.startsWith("waybill: "));

  test("builds what is right, and fails", async () => {
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/^ {2}good .* built /m);
    expect((await workspace.record("good")).name).toBe("good");
  });

  test("prints one line for each problem, with file and line", () => {
    expect(problems().toSorted()).toEqual([
      expect.stringMatching(
        /1 problem\(s\): line 3: metadata\.image\.budget\.compressed: a size .*, images\/budget\/project\.json/,
      ),
      expect.stringMatching(/images are built from each other .*images\/one\/Dockerfile:1, images\/two\/Dockerfile:2/),
      expect.stringMatching(/images are built from each other .*images\/two\/Dockerfile:2, images\/one\/Dockerfile:1/),
      expect.stringMatching(/there is no image "nowhere", images\/nope\/Dockerfile:1: the images are /),
      expect.stringMatching(/unknown instruction COPPY, images\/syntax\/Dockerfile:2: did you mean COPY\?/),
    ]);
  });

  test("prints no stack, and doesn't try what stands on a broken image", () => {
    expect(result.stdout + result.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
    expect(result.stdout).not.toContain("build on-budget");
  });
});

describe("a workspace whose projects Nx itself can't read", { timeout: 120_000 }, () => {
  test("is told which file is no JSON", async () => {
    const workspace = await Workspace.create({
      ...GOOD,
      "images/torn/Dockerfile": "FROM scratch\n",
      "images/torn/project.json": '{ "name": "torn",\n',
    });
    const { exitCode, stdout, stderr } = await workspace.nx("run-many", "-t", "docker-build");
    await workspace.remove();
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toMatch(/^waybill: not JSON \(.*\), images\/torn\/project\.json/m);
    expect(stdout + stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  });

  test("is told which two images have one name", async () => {
    const workspace = await Workspace.create({
      ...GOOD,
      "images/twin/Dockerfile": "FROM scratch\n",
      "images/twin/project.json": { name: "good" },
    });
    const { exitCode, stdout, stderr } = await workspace.nx("run-many", "-t", "docker-build");
    await workspace.remove();
    expect(exitCode).not.toBe(0);
    expect(stdout + stderr).toMatch(/^waybill: two images are named good, images\/good and images\/twin: rename one/m);
  });
});
