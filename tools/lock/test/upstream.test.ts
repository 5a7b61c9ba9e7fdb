import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { upstreamVersion } from "../src/index.ts";

test.each([
  ["17.12-0+deb13u1", "17.12.0"],
  ["18.2.7+ds-1+deb13u1", "18.2.7"],
  ["2:1.04.3-10", "1.4.3"],
  ["20260203", "20260203.0.0"],
  ["1.2.3.4-1", "1.2.3"],
  ["18~beta1-1", undefined],
])("Debian's %s is upstream's %s", async (version, expected) => {
  const folder = await mkdtemp(join(tmpdir(), "waybill-upstream-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const image = { upstream: "debian:it", packages: { main: { debian: ["it"] } } };
  await writeFile(join(folder, "project.json"), JSON.stringify({ metadata: { image } }));
  const pin = { name: "it", version, arch: "all", sha256: "0".repeat(64), size: 1, path: "pool/it.deb" };
  const lock = { lockVersion: 1, packages: { main: { suite: "trixie", amd64: [pin] } } };
  await writeFile(join(folder, "image.lock.json"), JSON.stringify(lock));
  if (expected === undefined) await expect(upstreamVersion(folder)).rejects.toThrow(/is not a release's version/);
  else expect(await upstreamVersion(folder)).toBe(expected);
});
