// Which folders under images/ are images.

import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findImage, findImages, readableImage, readableImages } from "../src/image.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "waybill-images-"));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function write(files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const found = async (): Promise<string[]> =>
  [...(await findImages(root)).values()].map(({ name, folder }) => `${name} in ${relative(root, folder)}`).sort();

const SCRATCH = "FROM scratch\n";

test("folders with a Dockerfile at any depth, and not what such a folder holds itself", async () => {
  await write({
    "images/app/Dockerfile": SCRATCH,
    "images/app/test/Dockerfile": SCRATCH,
    "images/app/test/images/stand-in/Dockerfile": SCRATCH,
    "images/bases/languages/node/Dockerfile": SCRATCH,
    "images/bases/languages/node/project.json": '{"name":"node-24"}',
    "images/shared/certificates/project.json": '{"name":"no-image"}',
    "images/dist/old/Dockerfile": SCRATCH,
    "images/node_modules/some/Dockerfile": SCRATCH,
  });
  await symlink(join(root, "images/app"), join(root, "images/link"));
  expect(await found()).toEqual(["app in images/app", "node-24 in images/bases/languages/node"]);
});

test("none where there are no images", async () => {
  expect(await found()).toEqual([]);
});

test("one that was added since is found", async () => {
  await write({ "images/app/Dockerfile": SCRATCH });
  await findImage("app", root);
  await write({ "images/later/Dockerfile": SCRATCH });
  expect((await findImage("later", root)).name).toBe("later");
});

test("faults are those of the images that have them", async () => {
  await write({
    "images/app/Dockerfile": SCRATCH,
    "images/one/Dockerfile": SCRATCH,
    "images/two/Dockerfile": SCRATCH,
    "images/two/project.json": '{"name":"one"}',
    "images/odd/Dockerfile": SCRATCH,
    "images/odd/project.json": '{"name":"odd","metadata":{"image":{"budgets":{}}}}',
  });
  expect((await findImage("app", root)).name).toBe("app");
  await expect(findImage("one", root)).rejects.toThrow("two images are named one");
  await expect(findImage("odd", root)).rejects.toThrow('Unrecognized key: "budgets"');
  await expect(findImage("even", root)).rejects.toThrow("the images are app, odd, one");
  await expect(findImages(root)).rejects.toThrow('Unrecognized key: "budgets"');
  expect([...(await readableImages(root)).keys()].sort()).toEqual(["app", "one"]);
  expect(readableImage("odd", root)).toBeUndefined();
  expect(readableImage("one", root)?.folder).toBe(join(root, "images/one"));
  await write({ "images/odd/project.json": '{"name":"odd"}' });
  expect((await findImage("odd", root)).name).toBe("odd");
});
