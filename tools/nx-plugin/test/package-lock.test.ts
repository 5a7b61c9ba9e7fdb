import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { addToPackageLock } from "../src/generators/package-lock.ts";

const LOCK = `${JSON.stringify({ lockfileVersion: 3, packages: { "": { name: "root" } } }, undefined, 2)}\n`;

/** A clone with a new image, set up with `lock`. */
async function clone(lock: string) {
  const root = await realpath(await mkdtemp(join(tmpdir(), "waybill-clone-")));
  onTestFinished(() => rm(root, { recursive: true }));
  await mkdir(join(root, "images/new"), { recursive: true });
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "images/new/package.json"), JSON.stringify({ name: "@waybill/new", version: "0.1.0" }));
  await writeFile(join(root, "package-lock.json"), LOCK);
  await writeFile(join(root, "node_modules/.waybill-setup"), `programs\n${lock}`);
  const read = (file: string): Promise<string> => readFile(join(root, file), "utf8");
  return { root, read };
}

test("a clone that is set up stays so with a new image: nothing is installed anew for a link", async () => {
  const { root, read } = await clone(LOCK);
  await addToPackageLock(root, "images/new");
  expect(await read("package-lock.json")).toContain('"images/new"');
  expect(await read("node_modules/.waybill-setup")).toBe(`programs\n${await read("package-lock.json")}`);
  expect(await realpath(join(root, "node_modules/@waybill/new"))).toBe(join(root, "images/new"));
});

test("one that was set up with another lock is left to npm", async () => {
  const { root, read } = await clone("{}\n");
  await addToPackageLock(root, "images/new");
  expect(await read("node_modules/.waybill-setup")).toBe("programs\n{}\n");
});
