import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { inventoryOf } from "../src/index.ts";
import { type TarEntry, imageOf, temporaryStore } from "./image.ts";
import { goProgram } from "./go-program.ts";

/** "type name version" of all packages. */
async function packagesIn(...layers: TarEntry[][]): Promise<string[]> {
  const store = await temporaryStore();
  const steps = layers.map((entries, index) => ({ createdBy: `COPY ${index}`, entries }));
  const { platforms } = await imageOf(store, steps);
  const { packages } = await inventoryOf(store, platforms[0] as (typeof platforms)[0]);
  return packages.map(({ type, name, version }) => `${type} ${name} ${version}`);
}

const CURL = "Package: curl\nStatus: install ok installed\nVersion: 8.14.1-2\nInstalled-Size: 500\n";
const REMOVED = "Package: wget\nStatus: deinstall ok config-files\nVersion: 1.25.0-2\n";

test("Debian packages are those that dpkg says are installed", async () => {
  expect(await packagesIn([{ path: "var/lib/dpkg/status", content: `${CURL}\n${REMOVED}` }])).toEqual([
    "deb curl 8.14.1-2",
  ]);
});

test("images without dpkg have a file for each package", async () => {
  const content = "Package: tzdata\nVersion: 2026f-0+deb13u1\nDescription: time zones\n Version: not this one\n";
  const packages = await packagesIn([
    { path: "var/lib/dpkg/status.d/tzdata", content },
    { path: "var/lib/dpkg/status.d/tzdata.md5sums", content: "d41d8cd98f00b204e9800998ecf8427e  Package: x" },
  ]);
  expect(packages).toEqual(["deb tzdata 2026f-0+deb13u1"]);
});

test("a Debian package names what it was built from; the image names its distribution", async () => {
  const store = await temporaryStore();
  const entries = [
    { path: "var/lib/dpkg/status.d/bash", content: "Package: bash\nSource: bash (5.2.37-2)\nVersion: 5.2.37-2+b10\n" },
    { path: "var/lib/dpkg/status.d/libc6", content: "Package: libc6\nSource: glibc\nVersion: 2.41-12\n" },
    { path: "var/lib/dpkg/status.d/tzdata", content: "Package: tzdata\nVersion: 2026f-0\n" },
    { path: "usr/lib/os-release", content: 'NAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n' },
  ];
  const { platforms } = await imageOf(store, [{ createdBy: "COPY", entries }]);
  const { packages, distribution } = await inventoryOf(store, platforms[0] as (typeof platforms)[0]);
  expect(distribution).toEqual({ id: "debian", version: "13" });
  expect(packages.map(({ source }) => source)).toEqual([
    { name: "bash", version: "5.2.37-2" },
    { name: "glibc", version: "2.41-12" },
    undefined,
  ]);
});

test("the list of a dpkg database is the one that dpkg-query gives", async () => {
  const database = [CURL, REMOVED, CURL.replace("curl", "libc6").replace("8.14.1-2", "2.41-12")].join("\n");
  const folder = mkdtempSync(join(tmpdir(), "waybill-dpkg-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const complete = database.replaceAll("Version:", "Architecture: amd64\nMaintainer: x\nDescription: x\nVersion:");
  writeFileSync(join(folder, "status"), complete);
  mkdirSync(join(folder, "info"));
  const format = "${db:Status-Status} deb ${Package} ${Version}\\n";
  const listed = execFileSync("dpkg-query", [`--admindir=${folder}`, "--show", `--showformat=${format}`], {
    encoding: "utf8",
  });
  const expected = listed.split("\n").flatMap((line) => (line.startsWith("installed ") ? [line.slice(10)] : []));
  expect(expected).toHaveLength(2);
  expect(await packagesIn([{ path: "var/lib/dpkg/status", content: complete }])).toEqual(expected.sort());
});

test("an npm package is a package.json with a name in node_modules; its size is without what is nested in it", async () => {
  const store = await temporaryStore();
  const manifest = (name: string) => JSON.stringify({ name, version: "1.0.0" });
  const entries = [
    { path: "app/package.json", content: manifest("app") },
    { path: "app/node_modules/@a/b/package.json", content: manifest("@a/b") },
    { path: "app/node_modules/@a/b/index.js", content: "x".repeat(1_000) },
    { path: "app/node_modules/@a/b/esm/package.json", content: '{"type":"module"}' },
    { path: "app/node_modules/@a/b/node_modules/c/package.json", content: manifest("c") },
    { path: "app/node_modules/@a/b/node_modules/c/index.js", content: "x".repeat(50_000) },
    { path: "app/node_modules/broken/package.json", content: "{" },
  ];
  const { platforms } = await imageOf(store, [{ createdBy: "COPY app", entries }]);
  const { packages } = await inventoryOf(store, platforms[0] as (typeof platforms)[0]);
  expect(packages.map(({ name, size }) => [name, size])).toEqual([
    ["@a/b", 1_000 + manifest("@a/b").length + '{"type":"module"}'.length],
    ["c", 50_000 + manifest("c").length],
  ]);
});

test("a Python package is what its installer recorded, by its normal name", async () => {
  const store = await temporaryStore();
  const folder = "usr/lib/python3/site-packages/Ruamel.YAML-0.18.6.dist-info";
  const entries = [
    { path: `${folder}/METADATA`, content: "Metadata-Version: 2.1\nName: Ruamel.YAML\nVersion: 0.18.6\n\nName: no\n" },
    { path: `${folder}/RECORD`, content: "ruamel/yaml/a.py,sha256=x,100\nruamel/yaml/b.py,sha256=y,23\nx/RECORD,,\n" },
  ];
  const { platforms } = await imageOf(store, [{ createdBy: "COPY", entries }]);
  const { packages } = await inventoryOf(store, platforms[0] as (typeof platforms)[0]);
  expect(packages).toMatchObject([{ type: "pypi", name: "ruamel-yaml", version: "0.18.6", size: 123 }]);
});

test("a Go program tells its modules, and what replaces them", async () => {
  const modules = [
    "path\twaybill/operator",
    "mod\twaybill/operator\t(devel)\t",
    "dep\tgithub.com/a/b\tv1.2.3\th1:x=",
    "dep\tk8s.io/api\tv0.0.0",
    "=>\tk8s.io/api\tv0.36.3\th1:y=",
    "dep\twaybill/mode\tv0.0.0",
    "=>\t../mode\t",
  ].join("\n");
  const program = { path: "usr/bin/operator", mode: 0o755, content: goProgram("go1.27.4", modules) };
  expect(await packagesIn([program])).toEqual([
    "golang github.com/a/b v1.2.3",
    "golang k8s.io/api v0.36.3",
    "golang stdlib 1.27.4",
    "golang waybill/mode v0.0.0",
    "golang waybill/operator (devel)",
  ]);
});

test("a program that another layer replaces or deletes is not listed", async () => {
  const program = (goVersion: string) => ({
    path: "app",
    mode: 0o755,
    content: goProgram(goVersion, "mod\tx\tv1.0.0"),
  });
  expect(await packagesIn([program("go1.26.0")], [program("go1.27.0")])).toEqual([
    "golang stdlib 1.27.0",
    "golang x v1.0.0",
  ]);
  expect(await packagesIn([program("go1.26.0")], [{ path: ".wh.app", content: "" }])).toEqual([]);
});

test("no Go program: other binaries, and those that only carry the mark as a string", async () => {
  const elf = Buffer.alloc(600_000);
  elf.write("\x7fELF", "latin1");
  elf.write("\xff Go buildinf:", 100_001, "latin1");
  expect(await packagesIn([{ path: "bin/strings", mode: 0o755, content: elf }])).toEqual([]);
});

test("this machine's own Go program is read as `go version -m` reads it", async ({ skip }) => {
  const go = ["/usr/local/go/bin/go", "/usr/lib/go/bin/go"].find((path) => readable(path));
  if (go === undefined) return skip("no Go on this machine");
  const told = execFileSync(go, ["version", "-m", go], { encoding: "utf8" });
  const version = /: go(\S+)/.exec(told)?.[1];
  expect(await packagesIn([{ path: "go", mode: 0o755, content: readFileSync(go) }])).toContain(
    `golang stdlib ${version}`,
  );
});

function readable(path: string): boolean {
  try {
    return readFileSync(path).length > 0;
  } catch {
    return false;
  }
}
