import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "@waybill/oci";
import { describe, expect, onTestFinished, test } from "vitest";
import { checkNpmLock, npmFiles, writeNpmLock } from "../src/npm/container-lock.ts";
import { temporaryFolder } from "./archive.ts";

const INTEGRITY = `sha512-${"A".repeat(86)}==`;

/** A lock entry of a package on the public registry. */
function entry(name: string, version: string, more: object = {}): object {
  return {
    version,
    resolved: `https://registry.npmjs.org/${name}/-/${name}-${version}.tgz`,
    integrity: INTEGRITY,
    ...more,
  };
}

/** A repo with one image "api" of these dependencies, and this package tree. */
async function repo(manifest: object, packages: Record<string, object>): Promise<string> {
  const root = await temporaryFolder(onTestFinished);
  const own = { name: "@waybill/api", version: "0.1.0", private: true, type: "module", ...manifest };
  await write(join(root, "images/api/package.json"), own);
  await write(join(root, "package.json"), { name: "root", private: true, workspaces: ["images/*"] });
  const links = { "node_modules/@waybill/api": { resolved: "images/api", link: true }, "images/api": own };
  const all = { "": { name: "root", workspaces: ["images/*"] }, ...links, ...packages };
  await write(join(root, "package-lock.json"), { name: "root", lockfileVersion: 3, requires: true, packages: all });
  return join(root, "images/api");
}

async function write(file: string, content: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`);
}

interface Lock {
  packages: Record<string, Record<string, unknown>>;
}

async function lockOf(folder: string): Promise<Lock> {
  return JSON.parse((await npmFiles(folder))["package-lock.json"]) as Lock;
}

describe("a container's lock", () => {
  test("has the production dependencies alone, and no version or edge to another image", async () => {
    const folder = await repo(
      { dependencies: { a: "1.0.0", "@waybill/node": "0.1.0" }, devDependencies: { tester: "1.0.0" } },
      {
        "node_modules/@waybill/node": { resolved: "images/bases/node", link: true },
        "node_modules/a": entry("a", "1.0.0", { dependencies: { b: "^1.0.0" }, peer: true }),
        "node_modules/b": entry("b", "1.5.0", { dev: true }),
        "node_modules/tester": entry("tester", "1.0.0", { dev: true, dependencies: { b: "1" } }),
      },
    );
    const files = await npmFiles(folder);
    expect(JSON.parse(files["package.json"])).toEqual({
      name: "@waybill/api",
      private: true,
      type: "module",
      dependencies: { a: "1.0.0" },
    });
    expect((JSON.parse(files["package-lock.json"]) as Lock).packages).toEqual({
      "": { name: "@waybill/api", dependencies: { a: "1.0.0" } },
      "node_modules/a": entry("a", "1.0.0", { dependencies: { b: "^1.0.0" } }),
      "node_modules/b": entry("b", "1.5.0"),
    });
  });

  test("lays versions that collide out so that each finds its own", async () => {
    const folder = await repo(
      { dependencies: { a: "1.0.0", x: "1.0.0" } },
      {
        "node_modules/a": entry("a", "1.0.0", { dependencies: { x: "2" } }),
        "node_modules/x": entry("x", "2.0.0"),
        "images/api/node_modules/x": entry("x", "1.0.0"),
      },
    );
    const { packages } = await lockOf(folder);
    expect(Object.entries(packages).map(([path, { version }]) => [path, version])).toEqual([
      ["", undefined],
      ["node_modules/a", "1.0.0"],
      ["node_modules/a/node_modules/x", "2.0.0"],
      ["node_modules/x", "1.0.0"],
    ]);
  });

  test("marks what only optional dependencies need, for every platform, and ends on circles", async () => {
    const folder = await repo(
      { dependencies: { a: "1.0.0" }, optionalDependencies: { o: "1.0.0" } },
      {
        "node_modules/a": entry("a", "1.0.0", {
          dependencies: { shared: "1" },
          optionalDependencies: { "a-arm64": "1", gone: "1" },
        }),
        "node_modules/a-arm64": entry("a-arm64", "1.0.0", { optional: true, cpu: ["arm64"] }),
        "node_modules/o": entry("o", "1.0.0", { dependencies: { shared: "1", deep: "1" }, optional: true }),
        "node_modules/deep": entry("deep", "1.0.0", { dependencies: { o: "1" }, optional: true }),
        "node_modules/shared": entry("shared", "1.0.0"),
      },
    );
    const { packages } = await lockOf(folder);
    const optional = Object.keys(packages).filter((path) => packages[path]?.["optional"] === true);
    expect(optional).toEqual(["node_modules/a-arm64", "node_modules/deep", "node_modules/o"]);
    expect(packages["node_modules/shared"]).toEqual(entry("shared", "1.0.0"));
  });

  test("brings peers that aren't optional", async () => {
    const peers = { peerDependencies: { p: "1", q: "1" }, peerDependenciesMeta: { q: { optional: true } } };
    const folder = await repo(
      { dependencies: { a: "1.0.0" } },
      {
        "node_modules/a": entry("a", "1.0.0", peers),
        "node_modules/p": entry("p", "1.0.0"),
        "node_modules/q": entry("q", "1.0.0"),
      },
    );
    expect(Object.keys((await lockOf(folder)).packages)).toEqual(["", "node_modules/a", "node_modules/p"]);
  });

  test("names no mirror, and keeps the hash", async () => {
    const mirrored = { ...entry("a", "1.0.0"), resolved: "https://mirror.internal/npm/a-1.0.0.tgz" };
    const folder = await repo({ dependencies: { a: "1.0.0" } }, { "node_modules/a": mirrored });
    expect((await lockOf(folder)).packages["node_modules/a"]).toEqual({ version: "1.0.0", integrity: INTEGRITY });
  });

  test("needs every dependency in the repo's lock, and none that is the repo's own code", async () => {
    await expect(npmFiles(await repo({ dependencies: { a: "1.0.0" } }, {}))).rejects.toThrow(
      /lacks a .*: run `npm install`/,
    );
    const own = { "node_modules/@waybill/oci": { resolved: "tools/oci", link: true } };
    const folder = await repo({ dependencies: { "@waybill/oci": "0.0.0" } }, own);
    await expect(npmFiles(folder)).rejects.toThrow(/@waybill\/oci is a package of this repo/);
  });

  test("is checked for drift, and mended by writing it", async () => {
    const folder = await repo({ dependencies: { a: "1.0.0" } }, { "node_modules/a": entry("a", "1.0.0") });
    expect(await checkNpmLock(folder)).toEqual([]); // an image without an npm folder has none
    expect(await writeNpmLock(folder)).toHaveLength(2);
    expect(await writeNpmLock(folder)).toEqual([]);
    expect(await checkNpmLock(folder)).toEqual([]);
    const file = join(folder, "npm/package-lock.json");
    await writeFile(file, (await readFile(file, "utf8")).replace("1.0.0.tgz", "1.0.1.tgz"));
    expect(await checkNpmLock(folder)).toEqual([{ file, message: "differs from the repo's package-lock.json" }]);
  });

  test("is one that npm itself finds complete and leaves as it is", async () => {
    const folder = await repo(
      { dependencies: { a: "1.0.0" }, devDependencies: { d: "1.0.0" } },
      {
        "node_modules/a": entry("a", "1.0.0", {
          license: "MIT",
          dependencies: { b: "^1.0.0" },
          bin: { a: "a.js" },
          engines: { node: ">=1" },
        }),
        "node_modules/b": entry("b", "1.5.0", { optional: true, license: "MIT" }),
        "node_modules/d": entry("d", "1.0.0", { dev: true }),
      },
    );
    await writeNpmLock(folder);
    const cwd = join(folder, "npm");
    const before = await readFile(join(cwd, "package-lock.json"), "utf8");
    // --offline: were anything missing, npm would have to ask the registry and fail.
    const env = { npm_config_omit_lockfile_registry_resolved: "false" };
    await run("npm", ["install", "--package-lock-only", "--offline", "--no-audit"], {
      cwd,
      env,
      check: true,
    });
    expect(await readFile(join(cwd, "package-lock.json"), "utf8")).toBe(before);
  });
});
