// `./nx` in a clone that is set up: what it hands on, and to whom. A program in node's place tells.

import { chmod, copyFile, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "@waybill/oci";

const WRAPPER = fileURLToPath(new URL("../../../nx", import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "waybill-wrapper-"));
  await copyFile(WRAPPER, join(folder, "nx"));
  await mkdir(join(folder, "node_modules/.bin"), { recursive: true });
  const node = join(folder, "node_modules/.bin/node");
  await writeFile(
    node,
    '#!/bin/sh\necho "materialize=$WAYBILL_MATERIALIZE"\nfor argument; do echo "$argument"; done\n',
  );
  await chmod(node, 0o755);
  await writeFile(join(folder, "package-lock.json"), "{}");
  const past = new Date(Date.now() - 3_600_000);
  for (const file of ["nx", "package-lock.json"]) await utimes(join(folder, file), past, past);
  await writeFile(join(folder, "node_modules/.waybill-setup"), "");
});
afterAll(() => rm(folder, { recursive: true }));

async function nx(...args: string[]): Promise<string[]> {
  const env = { WAYBILL_MATERIALIZE: undefined };
  const { stdout } = await run("sh", [join(folder, "nx"), ...args], { env, check: true });
  return stdout.trimEnd().split("\n");
}

test("hands arguments on as they are", async () => {
  const args = ["run-many", "-t", "docker-build", "-p", "a b,c", "--", "$HOME", "*"];
  expect(await nx(...args)).toEqual(["materialize=", "node_modules/nx/dist/bin/nx.js", ...args]);
});

test("keeps --materialize to itself, wherever it stands", async () => {
  for (const args of [
    ["--materialize", "run-many", "-t", "test"],
    ["run-many", "-t", "test", "--materialize"],
  ]) {
    expect(await nx(...args)).toEqual(["materialize=1", "node_modules/nx/dist/bin/nx.js", "run-many", "-t", "test"]);
  }
});

test("runs build-args without Nx around it", async () => {
  expect(await nx("run", "ceph:build-args")).toEqual([
    "materialize=",
    "tools/cli/src/waybill.ts",
    "build-args",
    "ceph",
  ]);
});
