// The pinned Go moves a module that comes from a proxy of files.

import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goModule, moveModule } from "../src/go/modules.ts";
import { fetchPackages, readLock, unpackPackages, upstreamVersion } from "../src/index.ts";
import { publish } from "./go-proxy.ts";

const TOOLCHAIN = join(import.meta.dirname, "../../../images/bases/toolchain-go");
const MAIN = 'package main\n\nimport _ "example.test/dep"\n\nfunc main() {}\n';

let folder = "";
let image = "";
let options = { go: "", env: {} as Record<string, string> };

beforeAll(async () => {
  const set = (await readLock(TOOLCHAIN)).packages["go"];
  const arch = process.arch === "arm64" ? "arm64" : "amd64";
  if (set === undefined) throw new Error("toolchain-go has no set go");
  const libraries = join(await unpackPackages((await fetchPackages(set, arch)).folder), "usr/lib");
  const root = join(libraries, (await readdir(libraries)).find((name) => /^go-\d/.test(name)) ?? "");
  folder = await mkdtemp(join(tmpdir(), "waybill-go-test-"));
  const proxy = join(folder, "proxy");
  for (const version of ["v1.0.0", "v1.1.0", "v1.2.0"]) {
    const dep = version === "v1.0.0" ? "v0.1.0" : "v0.2.0";
    const mod = `module example.test/up\n\ngo 1.24\n\nrequire example.test/dep ${dep}\n`;
    const program = version === "v1.2.0" ? "other/main.go" : "cmd/main.go";
    await publish(proxy, "example.test/up", version, { "go.mod": mod, [program]: MAIN });
    const client = { "go.mod": "module example.test/up/client\n\ngo 1.24\n", "client.go": "package client\n" };
    await publish(proxy, "example.test/up/client", version, client);
  }
  for (const version of ["v0.1.0", "v0.2.0"])
    await publish(proxy, "example.test/dep", version, {
      "go.mod": "module example.test/dep\n\ngo 1.24\n",
      "dep.go": "package dep\n",
    });
  const env = { GOROOT: root, GOPROXY: `file://${proxy}`, GOSUMDB: "off", GOPATH: join(folder, "go") };
  options = { go: join(root, "bin/go"), env: { ...env, GOFLAGS: "-mod=mod -modcacherw" } };
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const GO_MOD = `module waybill/up

go 1.24

tool example.test/up/cmd

require (
	example.test/dep v0.1.0 // indirect
	example.test/up v1.0.0 // indirect
)

replace example.test/up/client => example.test/up/client v1.0.0
`;

async function newImage(): Promise<void> {
  image = await mkdtemp(join(folder, "image-"));
  await mkdir(join(image, "src"));
  await writeFile(join(image, "src/go.mod"), GO_MOD);
  await writeFile(join(image, "src/go.sum"), "example.test/up v1.0.0 h1:old\n");
  const project = { name: "up", metadata: { image: { upstream: "go:example.test/up" } } };
  await writeFile(join(image, "project.json"), JSON.stringify(project));
}

async function move(to?: string) {
  const module = await goModule(image, "example.test/up");
  if (module === undefined) throw new Error("no such module");
  return await moveModule(image, module, { ...options, to });
}

describe("a Go module that an image repackages", { timeout: 120_000 }, () => {
  test("moves with what it requires and with its own replacements; nothing is written", async () => {
    await newImage();
    const { changes, files } = await move("1.1.0");
    expect(changes).toEqual([
      { part: "modules", set: "src", name: "example.test/up", old: "v1.0.0", new: "v1.1.0" },
      { part: "modules", set: "src", name: "example.test/dep", old: "v0.1.0", new: "v0.2.0" },
    ]);
    expect(files.get("src/go.mod")).toContain("replace example.test/up/client => example.test/up/client v1.1.0\n");
    const sums = files.get("src/go.sum") ?? "";
    expect(sums).toContain("example.test/up v1.1.0 h1:");
    expect(sums).toContain("example.test/dep v0.2.0 h1:");
    expect(sums).not.toContain("v1.0.0");
    expect(await readFile(join(image, "src/go.mod"), "utf8")).toBe(GO_MOD);
  });

  test("leaves alone what go.mod takes from a folder that the build fills", async () => {
    await newImage();
    await mkdir(join(image, "src/made"));
    await writeFile(join(image, "src/made/go.mod"), "module example.test/made\n\ngo 1.24\n");
    const made = "require example.test/made v0.0.0 // indirect\n\nreplace example.test/made => ./made\n";
    await writeFile(join(image, "src/go.mod"), `${GO_MOD}\n${made}`);
    const text = (await move("1.1.0")).files.get("src/go.mod") ?? "";
    expect(text).toMatch(/^\s*(require )?example\.test\/made v0\.0\.0/m);
    expect(text).toMatch(/^\s*(replace )?example\.test\/made => \.\/made/m);
    expect(text).toContain("example.test/dep v0.2.0");
  });

  test("is refused where upstream has the program no more", async () => {
    await newImage();
    await expect(move()).rejects.toThrow(/example\.test\/up\/cmd/);
  });

  test("of a version that isn't there is an error with those that are", async () => {
    await newImage();
    await expect(move("v9.9.9")).rejects.toThrow(
      /no v9\.9\.9 of example\.test\/up .*newest are v1\.2\.0, v1\.1\.0, v1\.0\.0/,
    );
  });

  test("that stays where it is changes nothing", async () => {
    await newImage();
    expect(await move("1.0.0")).toEqual({ changes: [], files: new Map() });
  });

  test("of which only files are wanted keeps its requirement, and its sums are the new ones", async () => {
    await newImage();
    await writeFile(join(image, "src/go.mod"), "module waybill/up\n\ngo 1.24\n\nrequire example.test/up v1.0.0\n");
    const { files } = await move("1.1.0");
    expect(files.get("src/go.mod")).toContain("require example.test/up v1.1.0");
    expect(files.get("src/go.sum")).toMatch(
      /^example\.test\/up v1\.1\.0 h1:.+\nexample\.test\/up v1\.1\.0\/go\.mod h1:.+\n$/,
    );
  });

  test("says the image's version", async () => {
    await newImage();
    expect(await upstreamVersion(image)).toBe("1.0.0");
    await rm(join(image, "src/go.mod"));
    await expect(upstreamVersion(image)).rejects.toThrow(/nothing is pinned as go:example\.test\/up/);
  });
});
