import { expect, onTestFinished, test, vi } from "vitest";
import { planVersion, unreleased, version } from "../src/index.ts";
import { releasables } from "../src/packages.ts";
import { versionTags } from "../src/version-tags.ts";
import { workspace } from "./workspace.ts";

const REGISTRY = "registry.test/team";

test("a plan tells every version and every word that a chart would change, and changes nothing", async () => {
  const { root, changeset, git } = workspace();
  changeset("one", { operator: "minor" }, "Watches more kinds.\n\nAnd says so.");
  const plan = await planVersion(root, { registry: REGISTRY });
  expect(plan.releases).toMatchObject([
    {
      kind: "image",
      name: "operator",
      type: "minor",
      from: "1.0.0",
      to: "1.1.0",
      notes: ["Watches more kinds.\n\nAnd says so."],
    },
    { kind: "chart", name: "platform", type: "patch", from: "1.0.0", to: "1.0.1", notes: [] },
  ]);
  expect(plan.charts).toMatchObject([
    {
      name: "platform",
      version: { from: "1.0.0", to: "1.0.1" },
      appVersion: { from: "1.0.0", to: "1.0.1" },
      images: [{ path: "controllerManager.manager.image", image: "operator", from: "1.0.0", to: "1.1.0" }],
    },
  ]);
  expect(git("status", "--porcelain")).toBe("?? .changeset/one.md");
});

test("version writes packages, changelogs, charts and the lock; what people wrote around them stays", async () => {
  const { root, changeset, git, read, commit } = workspace();
  changeset("one", { operator: "minor" }, "Watches more kinds.");
  changeset("two", { agent: "major" }, "Another protocol.");
  commit("changesets");
  const values = read("charts/platform/values.yaml");
  await version(root, await planVersion(root, { registry: REGISTRY }));
  expect(read("charts/platform/values.yaml")).toBe(
    values.replace('tag: "1.0.0"', 'tag: "1.1.0"').replace("team/agent:1.0.0", "team/agent:2.0.0"),
  );
  expect(read("charts/platform/Chart.yaml")).toBe(
    'apiVersion: v2\nname: platform\n# by the release\nversion: 1.0.1\nappVersion: "1.0.1"\n',
  );
  expect(read("images/agent/CHANGELOG.md")).toContain("Another protocol.");
  const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, object> };
  expect(lock.packages["images/agent"]).toMatchObject({ version: "2.0.0" });
  expect(lock.packages["charts/platform"]).toMatchObject({
    version: "1.0.1",
    dependencies: { "@test/agent": "2.0.0", "@test/operator": "1.1.0" },
  });
  commit("version");
  expect(await planVersion(root, { registry: REGISTRY })).toEqual({ releases: [], charts: [] });
  expect(git("status", "--porcelain")).toBe("");
});

test("a digest is pinned beside the tag where that is asked for", async () => {
  const { root, changeset, read, build } = workspace();
  const { digest } = await build("agent", "a");
  changeset("one", { agent: "patch" }, "Mended.");
  await version(root, await planVersion(root, { registry: REGISTRY, digests: new Map([["agent", digest]]) }));
  expect(read("charts/platform/values.yaml")).toContain(`agent: registry.test/team/agent:1.0.1@${digest}\n`);
});

test("what the changesets configuration ignores is nobody's release", async () => {
  const { root, read, write } = workspace();
  const config = JSON.parse(read(".changeset/config.json")) as object;
  write(".changeset/config.json", JSON.stringify({ ...config, ignore: ["@test/{agent,gear}"] }));
  write("charts/platform/package.json", JSON.stringify({ name: "@test/platform", version: "1.0.0", private: true }));
  expect([...(await releasables(root)).keys()]).toEqual(["@test/operator", "@test/platform"]);
});

test("a changeset for a package that isn't there is one line, whatever is asked about colours", async () => {
  vi.stubEnv("FORCE_COLOR", "true");
  onTestFinished(() => void vi.unstubAllEnvs());
  const { root, changeset } = workspace();
  changeset("one", { nothing: "minor" }, "x");
  await expect(planVersion(root, { registry: REGISTRY })).rejects.toThrow(/^changeset status: .*@test\/nothing/);
});

test("a chart's default that no release made is found, with its line", async () => {
  const { root, write, read, git } = workspace();
  expect(await unreleased(root, REGISTRY)).toEqual([]);
  write("charts/platform/values.yaml", read("charts/platform/values.yaml").replace("agent:1.0.0", "agent:0.9.0"));
  expect(await unreleased(root, REGISTRY)).toEqual([
    { where: "charts/platform/values.yaml:8", image: "agent", tag: "0.9.0", version: "1.0.0" },
  ]);
  git("tag", "@test/agent@0.9.0");
  expect(await unreleased(root, REGISTRY)).toEqual([]);
});

test.each([
  ["1.4.2", [], ["1.4.2", "1.4", "1"]],
  ["1.4.2", ["1.4.1", "1.3.9", "latest"], ["1.4.2", "1.4", "1"]],
  ["1.3.10", ["1.3.9", "1.4.0"], ["1.3.10", "1.3"]],
  ["1.3.8", ["1.3.9"], ["1.3.8"]],
  ["2.0.0-rc.1", [], ["2.0.0-rc.1"]],
  ["2.0.0", ["2.0.0-rc.1"], ["2.0.0", "2.0", "2"]],
  ["1.0.0+build", [], ["1.0.0_build"]],
])("version %s beside %j has the tags %j", (of, existing, tags) => {
  expect(versionTags(of, existing)).toEqual(tags);
});
