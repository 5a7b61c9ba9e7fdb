// kubectl is upstream's, and knows its version, which a cluster compares with its own.

import { readFileSync } from "node:fs";
import { builtImage } from "@waybill/testing";
import { expect, test } from "vitest";

test("it says the version that go.mod names", async () => {
  const image = await builtImage("kubectl");
  const container = await image.run({ args: ["version", "--client", "-o", "json"], network: "none" });
  expect(await container.exited()).toMatchObject({ exitCode: 0 });
  const modules = readFileSync(new URL("../../../shared/kubectl/go.mod", import.meta.url), "utf8");
  const version = /k8s\.io\/kubectl v0\.([\d.]+)/.exec(modules)?.[1];
  expect(JSON.parse(container.stdout).clientVersion.gitVersion).toBe(`v1.${version}`);
});
