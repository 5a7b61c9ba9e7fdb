// A repo to release: images and the chart that names the first two, on git, with records as a build leaves them.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { BlobStore, type ImageRecord, recordOf, writeRecord } from "@waybill/oci";
import { putImage } from "../../oci/test/fixtures.ts";

export interface Repo {
  root: string;
  store: BlobStore;
  git: (...args: string[]) => string;
  write: (file: string, content: string) => void;
  read: (file: string) => string;
  /** Stages all and commits. */
  commit: (message: string) => void;
  /** Builds an image: other bytes for another seed. */
  build: (name: string, seed: string) => Promise<ImageRecord>;
  changeset: (name: string, bumps: Record<string, string>, summary: string) => void;
}

const VALUES = `# Defaults of the chart.
controllerManager:
  manager:
    image:
      repository: registry.test/team/operator   # where it is pushed
      tag: "1.0.0"
defaultImages:
  agent: registry.test/team/agent:1.0.0
  ollama: ollama/ollama:0.9.0
`;

const CHART = `apiVersion: v2
name: platform
# by the release
version: 1.0.0
appVersion: "1.0.0"
`;

/** @param names of images; "agent" and "operator" are what the chart names */
export function repoOf(root: string, names: readonly string[] = ["agent", "operator"]): Repo {
  mkdirSync(root, { recursive: true });
  const git = (...args: string[]): string => execFileSync("git", ["-C", root, ...args], { encoding: "utf8" }).trim();
  const write = (file: string, content: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  };
  const store = new BlobStore(join(root, "dist/store"));
  const json = (file: string, content: object): void => write(file, `${JSON.stringify(content, undefined, 2)}\n`);
  json("package.json", { name: "root", private: true, workspaces: ["images/*", "charts/*"] });
  json(".changeset/config.json", {
    changelog: "@changesets/cli/changelog",
    commit: false,
    access: "restricted",
    baseBranch: "main",
    privatePackages: { version: true, tag: true },
    updateInternalDependencies: "patch",
    ignore: [],
  });
  for (const name of names) {
    json(`images/${name}/package.json`, { name: `@test/${name}`, version: "1.0.0", private: true });
    json(`images/${name}/project.json`, { name });
    write(`images/${name}/Dockerfile`, "FROM scratch\n");
  }
  const dependencies = Object.fromEntries(names.map((name) => [`@test/${name}`, "1.0.0"]));
  json("charts/platform/package.json", { name: "@test/platform", version: "1.0.0", private: true, dependencies });
  write("charts/platform/Chart.yaml", CHART);
  write("charts/platform/values.yaml", VALUES);
  json("package-lock.json", {
    name: "root",
    lockfileVersion: 3,
    packages: {
      "": { name: "root", workspaces: ["images/*", "charts/*"] },
      "charts/platform": { name: "@test/platform", version: "1.0.0", dependencies },
      "images/agent": { name: "@test/agent", version: "1.0.0" },
      "node_modules/@test/agent": { resolved: "images/agent", link: true },
    },
  });
  write(".gitignore", "dist\nnode_modules\n");
  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "Test");
  git("config", "user.email", "test@example.test");
  const commit = (message: string): void => {
    git("add", "--all");
    git("commit", "--quiet", "--message", message);
  };
  commit("first");
  return {
    root,
    store,
    git,
    write,
    read: (file) => readFileSync(join(root, file), "utf8"),
    commit,
    build: async (name, seed) => {
      const record = await recordOf(store, (await putImage(store, `${name}${seed}`)).digest, { name });
      await writeRecord(join(root, `images/${name}/dist/image.json`), record);
      return record;
    },
    changeset: (name, bumps, summary) => {
      const lines = Object.entries(bumps).map(([of, type]) => `"@test/${of}": ${type}\n`);
      write(`.changeset/${name}.md`, `---\n${lines.join("")}---\n\n${summary}\n`);
    },
  };
}
