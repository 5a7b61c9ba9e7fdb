// CRDs of a chart against the folder they come from.

import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { copyCrds, crdDrift } from "../src/crds.ts";

let root: string;
const chart = (): string => join(root, "charts/shop");

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "waybill-crds-"));
  await write("charts/shop/Chart.yaml", "name: shop\nannotations:\n  waybill.dev/crds: api/crds\n");
  await write("api/crds/agents.yaml", "kind: CustomResourceDefinition\n");
  await write("api/crds/crds.go", "package crds\n");
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

test("a copy is no drift, and only YAML counts", async () => {
  await write("charts/shop/crds/agents.yaml", "kind: CustomResourceDefinition\n");
  expect(crdDrift(chart(), root)).toEqual([]);
});

test("what is missing, what differs and what is too many is drift, and is mended", async () => {
  await write("api/crds/models.yaml", "new\n");
  await write("charts/shop/crds/agents.yaml", "old\n");
  await write("charts/shop/crds/gone.yaml", "gone\n");
  expect(crdDrift(chart(), root)).toEqual(["agents.yaml", "gone.yaml", "models.yaml"]);
  expect(await copyCrds(chart(), root)).toEqual(["agents.yaml", "gone.yaml", "models.yaml"]);
  expect(await readdir(join(chart(), "crds"))).toEqual(["agents.yaml", "models.yaml"]);
  expect(await readFile(join(chart(), "crds/models.yaml"), "utf8")).toBe("new\n");
  expect(crdDrift(chart(), root)).toEqual([]);
});

test("a chart without a source has its own", async () => {
  await write("charts/shop/Chart.yaml", "name: shop\n");
  await write("charts/shop/crds/own.yaml", "own\n");
  expect(crdDrift(chart(), root)).toEqual([]);
  expect(await copyCrds(chart(), root)).toEqual([]);
  expect(await readdir(join(chart(), "crds"))).toEqual(["own.yaml"]);
});

test("a source that is not there is said, and nothing is deleted", async () => {
  await rm(join(root, "api"), { recursive: true });
  await write("charts/shop/crds/agents.yaml", "old\n");
  expect(() => crdDrift(chart(), root)).toThrow("there are no CRDs in api/crds");
  await expect(copyCrds(chart(), root)).rejects.toThrow("there are no CRDs in api/crds");
});
