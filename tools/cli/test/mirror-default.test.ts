// The mirror of this machine as what is used when nobody says otherwise: pushes go to it, and bases come through it while it is there.

import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type RunningRegistry, freePort, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunResult } from "@waybill/oci";
import { Workspace } from "../../image/test/support/workspace.ts";

describe("without a registry in nx.json", { timeout: 180_000 }, () => {
  let workspace: Workspace;
  let upstream: RunningRegistry;
  let port: number;
  let base: string;
  const folder = (): string => workspace.path(".state/mirror");
  const waybill = (...args: string[]): Promise<RunResult> => waybillIn({}, ...args);
  const waybillIn = (env: NodeJS.ProcessEnv, ...args: string[]): Promise<RunResult> =>
    workspace.waybillWith({ env: { WAYBILL_MIRROR_DIR: folder(), WAYBILL_REGISTRY: undefined, ...env } }, ...args);

  /** Builds anew, with a store that has nothing. */
  async function buildFromNothing(): Promise<RunResult> {
    await rm(join(workspace.store, "blobs"), { recursive: true, force: true });
    return await waybill("build", "app");
  }

  /** Paths of what the mirror was asked for. */
  async function asked(): Promise<string[]> {
    const lines = (await readFile(join(folder(), "registry.log"), "utf8")).trim().split("\n");
    return lines.map((line) => (JSON.parse(line) as { path?: string }).path ?? "");
  }

  beforeAll(async () => {
    upstream = await startRegistry();
    port = await freePort();
    base = `${upstream.host}/vendor/base:1.0.0`;
    workspace = await Workspace.create({
      "images/base/Dockerfile": "FROM scratch\nCOPY file /vendors\n",
      "images/base/.dockerignore": "*\n!file\n",
      "images/base/file": "a vendor's\n",
      "images/base/project.json": { name: "base" },
      "images/app/Dockerfile": `FROM ${base}\nCOPY file /ours\nUSER 65532\n`,
      "images/app/.dockerignore": "*\n!file\n",
      "images/app/file": "ours\n",
      "images/app/project.json": { name: "app" },
    });
    await workspace.build("base");
    await waybill("push", "base", "--registry", `${upstream.host}/vendor`, "--tag", "1.0.0");
    await waybill("lock", "app");
  }, 180_000);
  afterAll(async () => {
    await waybill("mirror", "stop");
    await upstream.stop();
    await workspace.remove();
  });

  test("a release goes nowhere: it is for others, who don't see this machine", async () => {
    const { exitCode, stderr } = await waybill("release", "publish", "--dry-run");
    expect(stderr).toMatch(/^waybill: no registry is configured: --registry HOST\/PATH/);
    expect(exitCode).toBe(2);
  });

  test("a push says how to get one, and in CI where to name it", async () => {
    const { exitCode, stderr } = await waybill("push", "base", "--tag", "1.0.0");
    expect(stderr.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^waybill: no registry is configured: npx waybill mirror setup .*--registry/),
    ]);
    expect(exitCode).toBe(2);
    const inCi = await waybillIn({ CI: "true" }, "push", "base", "--tag", "1.0.0");
    expect(inCi.stderr).toMatch(/^waybill: no registry is configured: --registry HOST\/PATH, \$WAYBILL_REGISTRY/);
    expect(inCi.exitCode).toBe(2);
  });

  test("a build goes on without a mirror", async () => {
    const { exitCode, stderr } = await buildFromNothing();
    expect([exitCode, stderr]).toEqual([0, ""]);
  });

  test("a push starts the mirror that is set up, says so, and is found there", async () => {
    await waybill("mirror", "setup", "--port", String(port));
    const config = JSON.parse(await readFile(join(folder(), "config.json"), "utf8")) as { upstreams: object };
    await workspace.write({ ".state/mirror/config.json": { ...config, upstreams: { [upstream.host]: {} } } });
    const first = await waybill("push", "base", "--tag", "1.0.0");
    expect(first.stderr).toBe(
      `waybill: no registry is configured: started the mirror of this machine, 127.0.0.1:${port}\n`,
    );
    const { digest } = await workspace.record("base");
    expect(first.stdout).toContain(`pushed 127.0.0.1:${port}/base@${digest}`);
    expect((await waybill("mirror", "check", "IMAGE_EXISTS", `localhost:${port}/base:1.0.0`)).stdout).toBe("true\n");
    const again = await waybill("push", "base", "--tag", "1.0.0");
    expect(again.stderr).toContain("using the mirror of this machine");
    expect(again.stdout).toContain("nothing to send");
  });

  test("a flag and the environment still win", async () => {
    const flag = await waybill("push", "base", "--registry", `${upstream.host}/flag`, "--tag", "1.0.0");
    expect([flag.stderr, flag.stdout]).toEqual(["", expect.stringContaining(`pushed ${upstream.host}/flag/base@`)]);
    const env = { WAYBILL_REGISTRY: `${upstream.host}/env` };
    expect((await waybillIn(env, "push", "base", "--tag", "1.0.0")).stdout).toContain(`${upstream.host}/env/base@`);
  });

  test("a build takes its base through the mirror", async () => {
    const before = (await workspace.record("app")).digest;
    const { exitCode, stderr } = await buildFromNothing();
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect((await workspace.record("app")).digest).toBe(before);
    expect((await asked()).filter((path) => path.includes("/vendor/base/")).length).toBeGreaterThan(0);
  });

  test("which has it still when the upstream is gone", async () => {
    await upstream.stop();
    const { exitCode, stderr } = await buildFromNothing();
    expect([exitCode, stderr]).toEqual([0, ""]);
    await waybill("mirror", "stop");
    expect((await buildFromNothing()).exitCode).toBe(2);
  });
});
