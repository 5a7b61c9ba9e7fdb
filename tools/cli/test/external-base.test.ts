// An image built on one from elsewhere: pinned by `waybill lock`, fetched from a real registry, and then independent of it.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { Workspace } from "../../image/test/support/workspace.ts";

describe("an image on a base from a registry", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  let registry: RunningRegistry;
  let base = "";
  beforeAll(async () => {
    registry = await startRegistry();
    base = `${registry.host}/vendor/base:1.0.0`;
    workspace = await Workspace.create({
      "images/base/Dockerfile": "FROM scratch\nCOPY file /vendors\n",
      "images/base/.dockerignore": "*\n!file\n",
      "images/base/file": "a vendor's\n",
      "images/base/project.json": { name: "base", metadata: { image: { compression: "gzip" } } },
      "images/app/Dockerfile": `FROM ${base}\nCOPY file /ours\nUSER 65532\n`,
      "images/app/.dockerignore": "*\n!file\n",
      "images/app/file": "ours\n",
      "images/app/project.json": { name: "app" },
    });
    await workspace.build("base");
    await workspace.waybill("push", "base", "--registry", `${registry.host}/vendor`, "--tag", "1.0.0");
  }, 120_000);
  afterAll(async () => {
    await registry.stop();
    await workspace.remove();
  });

  test("is refused while the base is not pinned, with the line and the mend", async () => {
    const { exitCode, stderr } = await workspace.waybill("build", "app");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`waybill: ${base} is neither an image of this repo nor pinned, images/app/Dockerfile:1`);
    expect(stderr).toContain("npx waybill lock app");
  });

  test("is pinned by the digest the registry has", async () => {
    const { exitCode, stderr } = await workspace.waybill("lock", "app");
    expect(exitCode, stderr).toBe(0);
    const lock = JSON.parse(await workspace.read("images/app/image.lock.json")) as { bases: Record<string, string> };
    expect(lock.bases).toEqual({ [base]: (await workspace.record("base")).digest });
    expect((await workspace.waybill("lock", "--check", "app")).exitCode).toBe(0);
  });

  test("has the base's layer as the vendor packed it, fetched where the store lacks it", async () => {
    const [layer] = (await workspace.record("base")).platforms[0]?.layers ?? [];
    await rm(join(workspace.store, "blobs"), { recursive: true });
    await workspace.build("app");
    const { platforms, bases } = await workspace.record("app");
    expect(platforms[0]?.layers.map(({ digest }) => digest)).toContain(layer?.digest);
    expect(platforms[0]?.layers.map(({ mediaType }) => mediaType.split("+")[1])).toEqual(["gzip", "zstd"]);
    expect(bases).toEqual([{ reference: base, digest: (await workspace.record("base")).digest }]);
  });

  test("is built again when the registry is gone", async () => {
    await registry.stop();
    const { digest } = await workspace.record("app");
    await workspace.build("app");
    expect((await workspace.record("app")).digest).toBe(digest);
  });
});
