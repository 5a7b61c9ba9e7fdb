// docs/releases.md, step by step, as it is written there: the real command line on a repo of its own, a real registry, and Helm, which
// takes the chart from that registry.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { programOf } from "@waybill/image";
import { parseDocument, run } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { type RunningRegistry, startRegistry } from "@waybill/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Workspace } from "../../../tools/image/test/support/workspace.ts";

const VALUES = (registry: string): string => `# What people may override.
app:
  image:
    repository: ${registry}/team/app # where it is pushed
    tag: "0.1.0"
`;
const POD = `apiVersion: v1
kind: Pod
metadata: { name: app }
spec: { containers: [{ name: app, image: "{{ .Values.app.image.repository }}:{{ .Values.app.image.tag }}" }] }
`;

let registry: RunningRegistry;
let workspace: Workspace;
/** The comments of the one pull request, as GitHub's REST API keeps them. */
const comments: { id: number; body: string }[] = [];
const github = createServer((request, response) => {
  void text(request).then((body) => {
    if (request.method === "POST") comments.push({ id: comments.length, ...(JSON.parse(body) as { body: string }) });
    response.writeHead(request.method === "POST" ? 201 : 200).end(JSON.stringify(comments));
  });
});

beforeAll(async () => {
  registry = await startRegistry();
  await once(github.listen(0, "127.0.0.1"), "listening");
  const { host } = registry;
  const image = (name: string, more: object = {}): object => ({
    name: `@test/${name}`,
    version: "0.1.0",
    private: true,
    ...more,
  });
  workspace = await Workspace.create({
    "nx.json": {
      plugins: [{ plugin: "@waybill/nx-plugin", options: { registry: `${host}/team`, charts: `${host}/charts` } }],
    },
    "package.json": image("repo", { workspaces: ["images/*", "charts/*"] }),
    "package-lock.json": { name: "@test/repo", lockfileVersion: 3, packages: {} },
    ".changeset/config.json": {
      changelog: "@changesets/cli/changelog",
      baseBranch: "main",
      privatePackages: { version: true, tag: true },
      updateInternalDependencies: "patch",
    },
    "images/app/Dockerfile": "FROM scratch\nCOPY greeting /greeting\nUSER 65532\n",
    "images/app/.dockerignore": "*\n!greeting\n",
    "images/app/greeting": "hello\n",
    "images/app/package.json": image("app"),
    "images/app/project.json": { name: "app" },
    "charts/platform/Chart.yaml": 'apiVersion: v2\nname: platform\nversion: 0.1.0\nappVersion: "0.1.0"\n',
    "charts/platform/values.yaml": VALUES(host),
    "charts/platform/templates/pod.yaml": POD,
    "charts/platform/package.json": image("platform", { dependencies: { "@test/app": "0.1.0" } }),
  });
  await workspace.build("app");
  // Who tags, as `release publish` asks git, too.
  await git("config", "user.name", "Test");
  await git("config", "user.email", "test@example.test");
  await commit("first");
  await git("branch", "--move", "--force", "main");
}, 120_000);

afterAll(async () => {
  github.close();
  await Promise.all([registry.stop(), workspace.remove()]);
});

async function git(...args: string[]): Promise<string> {
  return (await run("git", args, { cwd: workspace.folder, check: true })).stdout;
}

async function commit(message: string): Promise<void> {
  await git("add", "--all");
  await git("commit", "--quiet", "--message", message);
}

async function waybill(args: string, env: Record<string, string> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await workspace.waybillWith({ env }, ...args.split(" "));
  if (exitCode !== 0) throw new Error(`waybill ${args}: exit code ${exitCode}\n${stdout}${stderr}`);
  return stdout;
}

/** What an install of the published chart would send. @param more flags */
async function rendered(version: string, ...more: string[]): Promise<string> {
  const helm = await programOf("kubernetes", "usr/local/bin/helm4");
  const home = workspace.path(".state/helm");
  const env = { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home };
  const chart = `oci://${registry.host}/charts/platform`;
  const args = ["template", "x", chart, "--version", version, "--plain-http", ...more];
  return (await run(helm, args, { env, check: true })).stdout;
}

test("edit, changeset, version, comment, publish, helm template", { timeout: 180_000 }, async () => {
  const { host } = registry;
  await waybill("release publish");
  expect(await rendered("0.1.0")).toContain(`image: "${host}/team/app:0.1.0"`);

  // 1. Say what changed: beside the change, a changeset.
  await workspace.write({ "images/app/greeting": "hello, world\n" });
  const changeset = join("node_modules", ".bin", "changeset");
  await run(changeset, ["-m", "Greets the world", "--minor", "@test/app"], { cwd: workspace.folder, check: true });
  await workspace.build("app");

  // 2. See what would come of it.
  const plan = await waybill("release plan");
  expect(plan).toMatch(/^image {2}app +0\.1\.0 -> 0\.2\.0 +minor +Greets the world$/m);
  expect(plan).toMatch(/^chart {2}platform +0\.1\.0 -> 0\.1\.1 +patch/m);
  await commit("Greets the world");

  // The pull request gets a comment with what changed in the images.
  await workspace.write({ ".state/event.json": { pull_request: { number: 7 } } });
  const told = await waybill(`diff ${host}/team/app:0.1.0 app --comment`, {
    GITHUB_ACTIONS: "true",
    GITHUB_API_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
    GITHUB_REPOSITORY: "acme/images",
    GITHUB_TOKEN: "x",
    GITHUB_EVENT_PATH: workspace.path(".state/event.json"),
  });
  expect(told).toBe("comment on pull request 7: created\n");
  expect(comments).toMatchObject([{ body: expect.stringContaining("`/greeting (content") as string }]);

  // 3. Make the versions.
  await waybill("release version");
  expect(await workspace.read("charts/platform/values.yaml")).toBe(VALUES(host).replace("0.1.0", "0.2.0"));
  expect(await workspace.read("charts/platform/Chart.yaml")).toContain("version: 0.1.1\n");
  expect(await workspace.read("images/app/CHANGELOG.md")).toContain("Greets the world");
  await commit("Versions");

  // 4. Publish: what was tested gets its tags; again, nothing is left to do.
  const { platforms } = await workspace.record("app");
  await waybill("release publish");
  const client = new RegistryClient(host);
  expect((await client.listTags("team/app")).toSorted()).toEqual(["0", "0.1", "0.1.0", "0.2", "0.2.0"]);
  const found = await client.getManifest("team/app", "0.2.0");
  const document = parseDocument(found?.bytes ?? Buffer.from("{}"), "0.2.0");
  const manifests = document.kind === "index" ? document.index.manifests : [];
  expect(manifests.map(({ digest }) => digest)).toEqual(platforms.map(({ digest }) => digest));
  expect(await git("tag", "--list")).toBe(
    "@test/app@0.1.0\n@test/app@0.2.0\n@test/platform@0.1.0\n@test/platform@0.1.1\n",
  );
  expect(await waybill("release publish")).toContain("nothing to publish: all 2 versions are released");

  // 5. Use it: the chart's defaults, or another tag.
  expect(await rendered("0.1.1")).toContain(`image: "${host}/team/app:0.2.0"`);
  expect(await rendered("0.1.1", "--set", "app.image.tag=0.1.0")).toContain(`image: "${host}/team/app:0.1.0"`);
});
