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

/** "operator" repackages: its Debian package says the version. "agent" is made of it. */
function repackaging(pinned: string, version: string) {
  const repo = workspace();
  const pin = { name: "op", version: pinned, arch: "amd64", sha256: "0".repeat(64), size: 1, path: "pool/op.deb" };
  const pinAt = (now: string): void =>
    repo.write(
      "images/operator/image.lock.json",
      JSON.stringify({ lockVersion: 1, packages: { op: { suite: "trixie", amd64: [{ ...pin, version: now }] } } }),
    );
  pinAt(pinned);
  const image = { upstream: "debian:op", packages: { op: { debian: ["op"] } } };
  repo.write("images/operator/project.json", JSON.stringify({ name: "operator", metadata: { image } }));
  const packageOf = (name: string, more: object): void =>
    repo.write(`images/${name}/package.json`, JSON.stringify({ name: `@test/${name}`, ...more, private: true }));
  packageOf("operator", { version });
  packageOf("agent", { version: "1.0.0", dependencies: { "@test/operator": version } });
  const chart = {
    name: "@test/platform",
    version: "1.0.0",
    private: true,
    dependencies: { "@test/operator": version },
  };
  repo.write("charts/platform/package.json", JSON.stringify(chart, undefined, 2));
  repo.commit("repackages");
  return { ...repo, pinAt };
}

test("an image that repackages is released as upstream's version and a number, by whatever bump", async () => {
  const { root, changeset, read, commit, pinAt } = repackaging("1:18.2.7+ds-1+deb13u1", "18.2.7-9");
  changeset("one", { operator: "patch" }, "A newer libc.");
  const plan = await planVersion(root, { registry: REGISTRY });
  expect(plan.releases).toMatchObject([
    { name: "agent", from: "1.0.0", to: "1.0.1" },
    { name: "operator", from: "18.2.7-9", to: "18.2.7-10" },
    { name: "platform", from: "1.0.0", to: "1.0.1" },
  ]);
  await version(root, plan);
  expect(JSON.parse(read("images/operator/package.json"))).toMatchObject({ version: "18.2.7-10" });
  expect(read("images/operator/CHANGELOG.md")).toMatch(/^# @test\/operator\n\n## 18\.2\.7-10\n\n/);
  expect(JSON.parse(read("images/agent/package.json"))).toMatchObject({
    dependencies: { "@test/operator": "18.2.7-10" },
  });
  expect(read("images/agent/CHANGELOG.md")).toContain("- @test/operator@18.2.7-10\n");
  expect(JSON.parse(read("charts/platform/package.json"))).toMatchObject({
    dependencies: { "@test/operator": "18.2.7-10" },
  });
  expect(read("charts/platform/values.yaml")).toContain('tag: "18.2.7-10"');
  commit("version");

  pinAt("1:18.2.8+ds-1");
  changeset("two", { operator: "minor" }, "18.2.8.");
  await version(root, await planVersion(root, { registry: REGISTRY }));
  expect(JSON.parse(read("images/operator/package.json"))).toMatchObject({ version: "18.2.8-1" });
  expect(read("images/operator/CHANGELOG.md")).toMatch(/## 18\.2\.8-1\n[^]*## 18\.2\.7-10\n/);
});

test("a version that upstream's pin doesn't say is an error, before anything is written", async () => {
  const { root, changeset, pinAt, git } = repackaging("18.2.7-1", "18.2.7-1");
  changeset("one", { operator: "patch" }, "x");
  pinAt("18.3~rc1-1");
  await expect(planVersion(root, { registry: REGISTRY })).rejects.toThrow(
    /18\.3~rc1-1 of debian:op is not a release's version.*pin a release/,
  );
  expect(git("status", "--porcelain", "--", "images/operator/package.json")).toBe("");
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
  ["18.2.7-1", [], ["18.2.7-1", "18.2.7", "18.2", "18"]],
  ["18.2.7-10", ["18.2.7-9", "18.2.7", "18.2", "18.1.9-3"], ["18.2.7-10", "18.2.7", "18.2", "18"]],
  ["18.2.7-9", ["18.2.7-10", "18.2.7"], ["18.2.7-9"]],
  ["18.2.7-2", ["18.2.7-1", "18.2.8-1"], ["18.2.7-2", "18.2.7"]],
  ["18.2.8-1", ["18.2.7-3-standard", "18.2.8-rc.1"], ["18.2.8-1", "18.2.8", "18.2", "18"]],
])("version %s beside %j has the tags %j", (of, existing, tags) => {
  expect(versionTags(of, existing)).toEqual(tags);
});
