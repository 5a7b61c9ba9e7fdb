// A whole release on a repo of its own and a real registry.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { list } from "tar";
import { expect, onTestFinished, test, vi } from "vitest";
import { parseReference, readRecord } from "@waybill/oci";
import { RegistryClient, carryOut, planPush } from "@waybill/oci/registry";
import { startRegistry } from "@waybill/testing";
import { type Prepared, pagesOf, planPublish, planVersion, publish, pushTags, version } from "../src/index.ts";
import { type Workspace, workspace } from "./workspace.ts";

interface Release extends Workspace {
  host: string;
  client: RegistryClient;
  plan: () => Promise<Prepared>;
  publish: (onProgress?: (name: string) => void) => Promise<Prepared>;
}

async function release(): Promise<Release> {
  const repo = workspace();
  const registry = await startRegistry();
  onTestFinished(() => registry.stop());
  const recordOf = (name: string) => readRecord(`${repo.root}/images/${name}/dist/image.json`);
  const plan = () =>
    planPublish(repo.root, {
      registry: `${registry.host}/team`,
      charts: `${registry.host}/charts`,
      source: "https://example.test/team/images",
      store: repo.store,
      recordOf,
    });
  return {
    ...repo,
    host: registry.host,
    client: new RegistryClient(registry.host),
    plan,
    publish: async (onProgress) => {
      const prepared = await plan();
      await publish(repo.root, prepared, {
        store: repo.store,
        bringBytes: recordOf,
        onProgress: (name) => onProgress?.(name),
      });
      return prepared;
    },
  };
}

const digestOf = async ({ client }: Release, repository: string, tag: string) =>
  (await client.headManifest(repository, tag))?.digest;

async function indexOf({ client }: Release, repository: string, tag: string) {
  const found = await client.getManifest(repository, tag);
  return JSON.parse(found?.bytes.toString() ?? "{}") as {
    manifests: { digest: string }[];
    annotations: Record<string, string>;
  };
}

test("edit, changeset, version, publish: the tested manifests get the version's tags, once", async () => {
  const repo = await release();
  const agent = await repo.build("agent", "1");
  await repo.build("operator", "1");
  repo.changeset("one", { agent: "minor" }, "Streams.");
  repo.commit("changeset");
  await version(repo.root, await planVersion(repo.root, { registry: "registry.test/team" }));
  repo.commit("version");

  const { plan } = await repo.publish();
  expect(plan.gitTags).toEqual(["@test/agent@1.1.0", "@test/operator@1.0.0", "@test/platform@1.0.1"]);
  expect((await repo.client.listTags("team/agent")).sort()).toEqual(["1", "1.1", "1.1.0"]);
  expect(await digestOf(repo, "team/agent", agent.digest)).toBe(agent.digest);

  const index = await indexOf(repo, "team/agent", "1.1");
  expect(index.manifests.map(({ digest }) => digest)).toEqual(
    agent.platforms
      .map(({ digest }) => digest)
      .toReversed()
      .toSorted(),
  );
  expect(index.annotations).toMatchObject({
    "org.opencontainers.image.version": "1.1.0",
    "org.opencontainers.image.revision": repo.git("rev-parse", "HEAD"),
    "org.opencontainers.image.source": "https://example.test/team/images",
  });

  const again = await repo.publish();
  expect(again.plan.gitTags).toEqual([]);
  expect([...again.plan.images, ...again.plan.charts].map(({ action }) => action)).toEqual(Array(3).fill("released"));
});

test("where git doesn't know who tags, nothing is published", async () => {
  const repo = await release();
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  vi.stubEnv("GIT_CONFIG_GLOBAL", "/dev/null");
  onTestFinished(() => void vi.unstubAllEnvs());
  repo.git("config", "--unset", "user.email");
  repo.git("config", "user.useConfigOnly", "true");
  await expect(repo.publish()).rejects.toThrow(/git doesn't know who makes the tags .*: git config user\.name NAME/);
  expect(await repo.client.listTags("team/agent")).toEqual([]);
  repo.git("config", "user.email", "test@example.test");
  await repo.publish();
  expect(repo.git("tag", "--list").split("\n")).toContain("@test/agent@1.0.0");
});

test("where the repository has the tested image, no blob is sent and none is read", async () => {
  const repo = await release();
  const record = await repo.build("agent", "1");
  await repo.build("operator", "1");
  const { repository } = parseReference(`${repo.host}/team/agent`);
  await carryOut(repo.client, repo.store, await planPush(repo.client, repo.store, record.digest, repository, []));
  const pushed: string[] = [];
  const { plan } = await repo.publish((name) => pushed.push(name));
  expect(plan.images.find(({ name }) => name === "agent")).toMatchObject({ there: true, tested: record.digest });
  // Its three tags alone; operator's blobs and manifests too.
  expect(pushed.filter((name) => name === "agent")).toHaveLength(3);
  expect(pushed.filter((name) => name === "operator").length).toBeGreaterThan(3);
});

test("a release that broke off after its first image is completed by publishing again", async () => {
  const repo = await release();
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  const broken = repo.publish((name) => {
    if (name === "agent") throw new Error("killed");
  });
  await expect(broken).rejects.toThrow("killed");
  const { plan } = await repo.publish();
  // The tags of git were made before the first push.
  expect(plan.gitTags).toEqual([]);
  expect(await digestOf(repo, "team/agent", "1.0.0")).toBeDefined();
  expect(await digestOf(repo, "team/operator", "1.0.0")).toBeDefined();
  expect(await digestOf(repo, "charts/platform", "1.0.0")).toBeDefined();
});

test("git's tags reach the remote after the registries, and those of a run that was broken off too", async () => {
  const repo = await release();
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  const remote = `${repo.root}/dist/remote.git`;
  repo.git("init", "--quiet", "--bare", remote);
  repo.git("remote", "add", "origin", remote);
  await repo.publish();
  // Another run, after one that published and then died.
  const { plan } = await repo.publish();
  const pages = await pagesOf(repo.root, plan);
  await pushTags(
    repo.root,
    pages.map(({ tag }) => tag),
  );
  const tags = ["@test/agent@1.0.0", "@test/operator@1.0.0", "@test/platform@1.0.0"];
  expect(repo.git("ls-remote", "--tags", "--refs", "origin").match(/@test.*$/gm)).toEqual(tags);
  expect(pages[0]?.body).toMatch(/team\/agent:1\.0\.0@sha256:/);
  repo.git("commit", "--quiet", "--allow-empty", "--message", "later");
  expect(await pagesOf(repo.root, plan)).toEqual([]);
});

test("a version that names another image is refused, and nothing is changed", async () => {
  const repo = await release();
  const other = await repo.build("agent", "other");
  await repo.build("operator", "1");
  await carryOut(
    repo.client,
    repo.store,
    await planPush(repo.client, repo.store, other.digest, "team/agent", ["1.0.0"]),
  );
  await repo.build("agent", "mine");
  await expect(repo.publish()).rejects.toThrow(/version 1\.0\.0 is another image already .*write a changeset/);
  expect(repo.git("tag", "--list")).toBe("");
  expect(await repo.client.listTags("team/operator")).toEqual([]);
  expect(await digestOf(repo, "team/agent", "1.0.0")).toBe(other.digest);
});

test("what changed since a release, without a changeset, is not published", async () => {
  const repo = await release();
  const first = await repo.build("agent", "1");
  await repo.build("operator", "1");
  await repo.publish();
  repo.write("images/agent/src.txt", "more");
  repo.commit("more");
  await repo.build("agent", "2");
  const { plan } = await repo.publish();
  expect(plan.images.map(({ action }) => action)).toEqual(["released", "released"]);
  const index = await indexOf(repo, "team/agent", "1.0.0");
  expect(index.manifests.map(({ digest }) => digest).sort()).toEqual(
    first.platforms.map(({ digest }) => digest).sort(),
  );
});

test("a version that was tagged and never published can't be made up for from another commit", async () => {
  const repo = await release();
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  for (const tag of ["@test/agent@1.0.0", "@test/operator@1.0.0", "@test/platform@1.0.0"]) repo.git("tag", tag);
  repo.write("more.txt", "more");
  repo.commit("more");
  await expect(repo.plan()).rejects.toThrow(
    /@test\/\w+ 1\.0\.0 was tagged at \w{12} and never published: git checkout/,
  );
});

test("an older line's version leaves the tags of newer ones where they are", async () => {
  const repo = await release();
  const newer = await repo.build("agent", "newer");
  await carryOut(
    repo.client,
    repo.store,
    await planPush(repo.client, repo.store, newer.digest, "team/agent", ["1.2.0", "1.2", "1"]),
  );
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  await repo.publish();
  expect((await repo.client.listTags("team/agent")).sort()).toEqual(["1", "1.0", "1.0.0", "1.2", "1.2.0"]);
  expect(await digestOf(repo, "team/agent", "1")).toBe(newer.digest);
});

test("a chart is an artifact as helm pushes it, without what belongs to the repo, and the same again", async () => {
  const repo = await release();
  await repo.build("agent", "1");
  await repo.build("operator", "1");
  repo.write("charts/platform/.helmignore", "*.bak\nnotes/\n");
  repo.write("charts/platform/values.yaml.bak", "old");
  repo.write("charts/platform/notes/a.txt", "mine");
  repo.write("charts/platform/templates/a.yaml", "kind: List\n");
  repo.commit("chart");
  const { charts } = await repo.publish();
  const { content, manifest } = charts.get("platform") as NonNullable<ReturnType<typeof charts.get>>;
  const names: string[] = [];
  const file = `${repo.root}/dist/chart.tgz`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content.bytes);
  await list({ file, onReadEntry: (entry) => names.push(entry.path) });
  expect(names).toEqual(["platform/Chart.yaml", "platform/templates/a.yaml", "platform/values.yaml"]);
  expect(readFileSync(file).length).toBe(content.size);
  const pushed = await repo.client.getManifest("charts/platform", "1.0.0");
  expect(pushed?.digest).toBe(manifest.digest);
  expect(JSON.parse(pushed?.bytes.toString() ?? "{}")).toMatchObject({
    config: { mediaType: "application/vnd.cncf.helm.config.v1+json" },
    layers: [{ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip" }],
  });
  expect((await repo.plan()).charts.get("platform")?.manifest.digest).toBe(manifest.digest);
});
