// Images of others that a chart names: pinned by the same command as bases, alone and with all else, as the nightly workflow does it.

import { readFile } from "node:fs/promises";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

describe("a chart that names another's image", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  let registry: RunningRegistry;
  let reference = "";
  beforeAll(async () => {
    registry = await startRegistry();
    reference = `${registry.host}/vendor/litellm:main`;
    workspace = await Workspace.create({
      "images/litellm/Dockerfile": "FROM scratch\nCOPY file /vendors\n",
      "images/litellm/.dockerignore": "*\n!file\n",
      "images/litellm/file": "1\n",
      "images/litellm/package.json": { name: "@test/litellm", version: "1.0.0", private: true },
      "images/litellm/project.json": { name: "litellm" },
      "charts/platform/Chart.yaml": "apiVersion: v2\nname: platform\nversion: 1.0.0\n",
      "charts/platform/values.yaml": `defaultImages:\n  litellm: ${reference} # theirs\n`,
      "charts/platform/package.json": { name: "@test/platform", version: "1.0.0", private: true },
    });
    await release("1\n");
  }, 120_000);
  afterAll(async () => {
    await registry.stop();
    await workspace.remove();
  });

  /** The vendor moves its tag. @returns the new digest */
  async function release(content: string): Promise<string> {
    await workspace.write({ "images/litellm/file": content });
    await workspace.build("litellm");
    await workspace.waybill("push", "litellm", "--registry", `${registry.host}/vendor`, "--tag", "main");
    return (await workspace.record("litellm")).digest;
  }

  const pinned = async () =>
    (JSON.parse(await workspace.read("charts/platform/image.lock.json")) as { bases: Record<string, string> }).bases;

  test("has it pinned by `waybill update <chart>`, in its lock and its values, with a changeset", async () => {
    const { digest } = await workspace.record("litellm");
    const { exitCode, stdout, stderr } = await workspace.waybill("update", "platform");
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\.changeset\/update-platform-\w+\.md says so/);
    expect(await pinned()).toEqual({ [reference]: digest });
    expect(await workspace.read("charts/platform/values.yaml")).toContain(`${reference}@${digest} # theirs`);
    expect((await workspace.waybill("update", "platform")).stdout).toBe("platform: up to date\n");
  });

  test("follows its tag with `waybill update --all`, which is what update-bases.yml runs", async () => {
    const digest = await release("2\n");
    const { exitCode } = await workspace.waybill("update", "--all");
    expect(exitCode).toBe(0);
    expect(await pinned()).toEqual({ [reference]: digest });
    const workflow = await readFile(new URL("../../../.github/workflows/update-bases.yml", import.meta.url), "utf8");
    expect(workflow).toContain("npx waybill update --all");
    expect(workflow).toContain("git add --all");
  });
});
