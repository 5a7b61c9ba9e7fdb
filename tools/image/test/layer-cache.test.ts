import { describe, expect, it } from "vitest";
import { RegistryClient, anonymous } from "@waybill/oci/registry";
import { startRegistry } from "@waybill/testing";
import { layerCacheOf } from "../src/layer-cache.ts";
import { Workspace } from "./support/workspace.ts";

const PULL_REQUEST = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request", GITHUB_REF: "refs/pull/1/merge" };
const MAIN = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" };

describe("the cache of layers", () => {
  it("has a scope for each image and platform", () => {
    const scope = (name: string, platform: string) =>
      layerCacheOf(name, platform, { WAYBILL_LAYER_CACHE: "gha" })?.scope;
    expect(scope("api", "linux/amd64")).toBe("api-amd64");
    expect(scope("api", "linux/arm64")).toBe("api-arm64");
    expect(scope("web.app", "linux/arm/v7")).toBe("web-app-arm-v7");
  });

  it("is none unless one is named", () => {
    for (const env of [{}, { WAYBILL_LAYER_CACHE: "" }, { WAYBILL_LAYER_CACHE: "off" }])
      expect(layerCacheOf("api", "linux/amd64", env)).toBeUndefined();
  });

  it("of a registry is only read by pull requests", () => {
    const at = (env: object) =>
      layerCacheOf("api", "linux/amd64", { WAYBILL_LAYER_CACHE: "ghcr.io/acme/layers", ...env })?.write;
    expect([at(MAIN), at(PULL_REQUEST), at({})]).toEqual([true, false, true]);
    expect(layerCacheOf("api", "linux/amd64", { WAYBILL_LAYER_CACHE: "gha", ...PULL_REQUEST })?.write).toBe(true);
  });

  it("is filled by a build, and asked by the next", { timeout: 180_000 }, async () => {
    const registry = await startRegistry();
    const workspace = await Workspace.create({
      "images/app/Dockerfile": "FROM scratch\nCOPY file /file\n",
      "images/app/.dockerignore": "*\n!file\n",
      "images/app/file": `of ${process.pid}\n`,
    });
    const env = { WAYBILL_LAYER_CACHE: `${registry.host}/team/layers` };
    const build = () => workspace.waybillWith({ env }, "build", "app", "--verbose");
    expect((await build()).exitCode).toBe(0);
    const client = new RegistryClient(registry.host, { credentials: anonymous });
    expect(await client.listTags("team/layers")).toEqual([expect.stringMatching(/^app-(amd64|arm64)$/)]);
    expect((await build()).stdout).toMatch(/importing cache manifest from 127\.0\.0\.1:\d+\/team\/layers:app-/);
    await registry.stop();
    expect((await build()).exitCode).toBe(0);
    await workspace.remove();
  });
});
