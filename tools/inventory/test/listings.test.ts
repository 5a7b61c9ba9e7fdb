// What is listed is what the package managers themselves list of the same files. (dpkg and Go: inventory.test.ts.)

import { execFileSync, spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Package, inventoryOf } from "../src/index.ts";
import { imageOf, temporaryStore } from "./image.ts";

function folder(): string {
  const root = mkdtempSync(join(tmpdir(), "waybill-listing-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

/** The packages of an image that has the files of this folder in /app. */
async function packagesOf(root: string): Promise<Package[]> {
  const paths = globSync("**/*", { cwd: root }).filter((path) => statSync(join(root, path)).isFile());
  const entries = paths.map((path) => ({ path: `app/${path}`, content: readFileSync(join(root, path)) }));
  const store = await temporaryStore();
  const { platforms } = await imageOf(store, [{ createdBy: "COPY . /app", entries }]);
  return (await inventoryOf(store, platforms[0] as (typeof platforms)[0])).packages;
}

const labels = (packages: readonly { name: string; version: string }[]): string[] =>
  [...new Set(packages.map(({ name, version }) => `${name} ${version}`))].toSorted();

interface Listed {
  version?: string;
  dependencies?: Record<string, Listed>;
}

test(
  "npm's packages are those of `npm ls --all`: nested, scoped, and two versions of one",
  { timeout: 60_000 },
  async () => {
    const root = folder();
    const write = (path: string, content: object): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), JSON.stringify(content));
    };
    const module = (path: string, name: string, version: string, dependencies: object = {}): void =>
      write(`${path}/package.json`, { name, version, dependencies });
    write("package.json", { name: "app", version: "9.9.9", dependencies: { "@scope/a": "^1.0.0", b: "^2.0.0" } });
    module("node_modules/@scope/a", "@scope/a", "1.4.0", { b: "^1.0.0", c: "*" });
    module("node_modules/@scope/a/node_modules/b", "b", "1.9.0");
    module("node_modules/b", "b", "2.0.1");
    module("node_modules/c", "c", "0.1.0-rc.1");
    write("node_modules/c/esm/package.json", { type: "module" });
    const told = execFileSync("npm", ["ls", "--all", "--json"], { cwd: root, encoding: "utf8" });
    const listed = Object.entries((JSON.parse(told) as Listed).dependencies ?? {}).flatMap(flatten);
    expect(labels(listed)).toHaveLength(4);
    expect(labels(await packagesOf(root))).toEqual(labels(listed));
  },
);

const flatten = ([name, { version, dependencies = {} }]: [string, Listed]): { name: string; version: string }[] => [
  // One that stands elsewhere in the tree is named without its version.
  ...(version === undefined ? [] : [{ name, version }]),
  ...Object.entries(dependencies).flatMap(flatten),
];

/** A wheel is a zip; pip installs it and writes what it records of every package. */
const INSTALL = `
import subprocess, sys, zipfile
root = sys.argv[1]
wheels = []
for name, version in [("Ruamel.YAML", "0.18.6"), ("typing_extensions", "4.16.0"), ("zope-interface", "7.1.0.post1")]:
    plain = name.replace("-", "_")
    wheels.append(f"{root}/{plain}-{version}-py3-none-any.whl")
    info = f"{plain}-{version}.dist-info"
    with zipfile.ZipFile(wheels[-1], "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr(f"{info}/RECORD", "")
pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--root-user-action", "ignore"]
subprocess.run([*pip, "--disable-pip-version-check", "--target", f"{root}/site", *wheels], check=True)
`;

test("Python's packages are those of `pip list`", { timeout: 60_000 }, async ({ skip }) => {
  const root = folder();
  if (spawnSync("python3", ["-m", "pip", "--version"]).status !== 0) return skip("no Python with pip on this machine");
  execFileSync("python3", ["-c", INSTALL, root], { stdio: ["ignore", "ignore", "inherit"] });
  const args = ["-m", "pip", "list", "--format", "json", "--path", join(root, "site")];
  const told = JSON.parse(execFileSync("python3", args, { encoding: "utf8" })) as { name: string; version: string }[];
  // pip shows names as their authors write them; PEP 503 says which are one.
  const listed = told.map(({ name, version }) => ({ name: name.toLowerCase().replaceAll(/[-_.]+/g, "-"), version }));
  expect(listed).toHaveLength(3);
  expect(labels(await packagesOf(join(root, "site")))).toEqual(labels(listed));
});
