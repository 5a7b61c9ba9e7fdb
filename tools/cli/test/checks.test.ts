// What the command line tells of a built image: its size, why it would be rebuilt, whether it can be made again, its values.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunResult, run } from "@waybill/oci";
import { busybox } from "../../image/test/support/busybox.ts";
import { Workspace } from "../../image/test/support/workspace.ts";

let workspace: Workspace;

beforeAll(async () => {
  const { bin, lock } = await busybox();
  workspace = await Workspace.create({
    "images/base/Dockerfile": "FROM scratch\nCOPY file /base\n",
    "images/base/.dockerignore": "*\n!file\n",
    "images/base/file": `of ${process.pid}\n`,
    "images/app/Dockerfile": "FROM waybill/base\nARG MODE\nLABEL mode=${MODE}\nCOPY src /src\n",
    "images/app/.dockerignore": "*\n!src\n",
    "images/app/src/file": "x".repeat(3000),
    "images/app/package.json": { name: "@waybill/app", private: true, version: "1.2.3" },
    "images/app/project.json": {
      name: "app",
      metadata: { image: { buildArgs: { MODE: "a b=c" }, budget: { compressed: "1 MB", unpacked: "5 kB" } } },
    },
    "images/restless/Dockerfile": `${bin}RUN echo always the same > /same\nRUN date +%s%N > /date\n`,
    "images/restless/.dockerignore": "*\n",
    "images/restless/image.lock.json": lock,
  });
  await workspace.build("base", "app", "restless");
}, 120_000);
afterAll(() => workspace.remove());

describe("waybill size", { timeout: 30_000 }, () => {
  test("fails over budget and says by how much", async () => {
    const { exitCode, stdout } = await workspace.waybill("size", "app");
    const unpackedSize = (await workspace.record("app")).platforms[0]?.unpackedSize ?? 0;
    expect(unpackedSize).toBeGreaterThan(5000);
    const [is, over] = [unpackedSize, unpackedSize - 5000].map((bytes) => `${(bytes / 1e3).toFixed(1)} kB`);
    expect(stdout).toMatch(/COPY src \/src/);
    const line = `app: linux/amd64 unpacked is ${is}, ${over} over its budget of 5.0 kB`;
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(line);
    expect(exitCode).toBe(1);
  });

  test("passes without a budget", async () => {
    const { exitCode } = await workspace.waybill("size", "base");
    expect(exitCode).toBe(0);
  });

  test("names an image that doesn't exist, and those that do", async () => {
    const { exitCode, stderr } = await workspace.waybill("size", "ap");
    expect(stderr).toBe('waybill: there is no image "ap": the images are app, base, restless\n');
    expect(exitCode).toBe(2);
  });
});

describe("waybill explain", { timeout: 30_000 }, () => {
  const explain = async (): Promise<string> => (await workspace.waybill("explain", "app")).stdout;

  test("calls an unchanged image a hit", async () => {
    expect(await explain()).toBe("app: nothing changed since it was built, it is a hit\n");
  });

  test("names the file that changed, came or went", async () => {
    await workspace.write({
      "images/app/src/file": "y",
      "images/app/src/more": "",
      "images/app/README.md": "no input",
    });
    expect(await explain()).toBe("app would be rebuilt:\n  src/file changed\n  src/more added\n");
  });

  test("names the base that changed, before it is rebuilt and after", async () => {
    await workspace.build("app");
    const before = (await workspace.record("base")).digest.slice(7, 19);
    await workspace.write({ "images/base/file": `changed, of ${process.pid}\n` });
    const conditional =
      "  waybill/base would be rebuilt (and this image only if its digest changes):\n    file changed\n";
    expect(await explain()).toBe(`app would be rebuilt:\n${conditional}`);
    await workspace.build("base");
    const after = (await workspace.record("base")).digest.slice(7, 19);
    expect(await explain()).toBe(`app would be rebuilt:\n  waybill/base changed: ${before} -> ${after}\n`);
  });

  test("knows files that come back as they were", async () => {
    const dockerfile = await workspace.read("images/base/Dockerfile");
    await workspace.write({ "images/base/Dockerfile": `# comment\n${dockerfile}` });
    await workspace.build("base");
    await workspace.write({ "images/base/Dockerfile": dockerfile });
    expect((await workspace.waybill("explain", "base")).stdout).toContain("it is a hit");
  });
});

describe("waybill explain --from", { timeout: 60_000 }, () => {
  const explain = (from: string): Promise<RunResult> => workspace.waybill("explain", "app", "--from", from);
  const git = async (...args: string[]): Promise<void> => {
    const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    await run("git", [...who, ...args], { cwd: workspace.folder, check: true });
  };

  test("a commit names the files that changed since, those of bases too, and touches nothing", async () => {
    await workspace.build("base", "app");
    await git("add", "--all");
    await git("commit", "--quiet", "--message", "first");
    expect((await explain("HEAD")).stdout).toBe("app: nothing changed since HEAD, it is a hit\n");
    await workspace.write({ "images/app/src/file": "since", "images/base/file": "since\n" });
    await git("add", "images/app");
    const before = await workspace.read(".git/index");
    expect((await explain("HEAD")).stdout).toBe(
      "app would be rebuilt:\n  src/file changed\n" +
        "  waybill/base would be rebuilt (and this image only if its digest changes):\n    file changed\n",
    );
    expect(await workspace.read(".git/index")).toBe(before);
    await workspace.build("base", "app");
  });

  test("a record names the base that is another", async () => {
    const record = await workspace.record("app");
    const other = `sha256:${"1".repeat(64)}`;
    const elsewhere = { ...record, bases: [{ reference: "waybill/base", digest: other }] };
    await workspace.write({ "record.json": elsewhere });
    const base = (await workspace.record("base")).digest.slice(7, 19);
    expect((await explain("record.json")).stdout).toBe(
      `app would be rebuilt:\n  waybill/base changed: 111111111111 -> ${base}\n`,
    );
  });

  test("what is neither is told in one line", async () => {
    const { exitCode, stderr } = await explain("nowhere");
    expect(stderr).toMatch(/^waybill: there is no commit "nowhere": name a commit, a branch or a tag/);
    expect(exitCode).toBe(2);
  });
});

describe("waybill reproduce", { timeout: 60_000 }, () => {
  test("confirms an image that comes out the same", async () => {
    const { exitCode, stdout } = await workspace.waybill("reproduce", "base");
    expect(stdout).toBe(`base: ${(await workspace.record("base")).digest} confirmed\n`);
    expect(exitCode).toBe(0);
  });

  test("names the layer that doesn't, and keeps the record", async () => {
    const before = await workspace.read("images/restless/dist/image.json");
    const { exitCode, stdout } = await workspace.waybill("reproduce", "restless");
    // Beside the steps that took long, on a busy machine.
    expect(stdout.split("\n").filter((line) => line.startsWith("restless"))).toEqual([
      expect.stringMatching(/^restless: linux\/amd64: layer \w{12} became \w{12}: RUN .*date \+%s%N > \/date/),
      "restless:   date: content",
    ]);
    expect(exitCode).toBe(1);
    expect(await workspace.read("images/restless/dist/image.json")).toBe(before);
  });

  test("takes a sample, the same for the same seed", async () => {
    const sample = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await workspace.waybill("reproduce", ...args);
      return [...new Set(Array.from(stdout.matchAll(/^(\w+): /gm), ([, name]) => name as string))];
    };
    const first = await sample("--sample", "1", "--seed", "a");
    expect(first).toHaveLength(1);
    expect(await sample("--sample", "1", "--seed", "a")).toEqual(first);
    expect((await sample("--sample", "9")).toSorted()).toEqual(["app", "base", "restless"]);
    expect((await workspace.waybill("reproduce", "--sample", "0")).exitCode).toBe(2);
  });
});

describe("what scripts read", { timeout: 30_000 }, () => {
  const VALUES = [
    "TARGET_IMAGE=reg.test/team/app:1.2.3",
    "TARGET_IMAGE_REPO=reg.test/team/app",
    "TARGET_IMAGE_VERSION=1.2.3",
  ];
  const env = { WAYBILL_REGISTRY: "reg.test/team" };

  test("image-values prints KEY=VALUE and nothing else", async () => {
    const { stdout, stderr } = await workspace.waybillWith({ env }, "image-values", "app");
    expect({ lines: stdout.split("\n"), stderr }).toEqual({ lines: [...VALUES, ""], stderr: "" });
  });

  test("build-args prints the build args too", async () => {
    const { stdout, stderr } = await workspace.waybillWith({ env }, "build-args", "app");
    expect({ lines: stdout.split("\n"), stderr }).toEqual({ lines: ["MODE=a b=c", ...VALUES, ""], stderr: "" });
  });

  test("image-values names what it needs where an image has no version", async () => {
    const { exitCode, stderr } = await workspace.waybill("image-values", "base");
    expect(stderr.trimEnd().split("\n")).toEqual([expect.stringMatching(/^waybill: .*images\/base\/package\.json/)]);
    expect(exitCode).toBe(2);
  });
});
