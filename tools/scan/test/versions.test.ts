// Orders of versions, each against who defines it where this machine has it.

import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { compareDebian } from "../src/versions/debian.ts";
import { comparePep440 } from "../src/versions/pep440.ts";
import { compareSemver } from "../src/versions/semver.ts";

const sign = (order: number): number => Math.sign(order);

/** Every pair of a list that is sorted: each is older than all that follow. */
function expectSorted(compare: (a: string, b: string) => number, versions: readonly string[]): void {
  for (const [i, a] of versions.entries()) {
    for (const [j, b] of versions.entries()) expect([a, b, sign(compare(a, b))]).toEqual([a, b, sign(i - j)]);
  }
}

const DEBIAN = [
  "0~~",
  "0~rc1-1",
  "0",
  "1.0~rc1-1",
  "1.0-1~bpo13+1",
  "1.0-1~deb13u1",
  "1.0-1",
  "1.0-1+b1",
  "1.0-1+b12",
  "1.0-1+deb13u1",
  "1.0-1.1",
  "1.0-2",
  "1.0a-1",
  "1.0+dfsg-1",
  "1.0+really0.9-1",
  "1.0.1-1",
  "1.2-9",
  "1.10-1",
  "2.41-12+deb13u4",
  "20250419+deb13u1",
  "1:0.1-1",
  "1:1.3.dfsg+really1.3.1-1+b1",
  "1:1.3.dfsg+really1.3.1-1+deb13u1",
  "2:0-1",
];

describe("Debian", () => {
  test("epochs, tildes, revisions, backports, rebuilds and security updates", () =>
    expectSorted(compareDebian, DEBIAN));

  test("is what dpkg says, of every pair", () => {
    const script = DEBIAN.flatMap((a) =>
      DEBIAN.map(
        (b) =>
          `if dpkg --compare-versions '${a}' lt '${b}'; then echo -1; elif dpkg --compare-versions '${a}' eq '${b}'; then echo 0; else echo 1; fi`,
      ),
    ).join("\n");
    const { stdout } = spawnSync("sh", { input: script, encoding: "utf8" });
    const told = stdout.trim().split("\n").map(Number);
    expect(told).toHaveLength(DEBIAN.length ** 2);
    expect(DEBIAN.flatMap((a) => DEBIAN.map((b) => sign(compareDebian(a, b))))).toEqual(told);
  });

  test("an absent revision is 0, leading zeros don't count", () => {
    expect(compareDebian("1.0", "1.0-0")).toBe(0);
    expect(compareDebian("1.05", "1.5")).toBe(0);
    expect(compareDebian("0:1", "1")).toBe(0);
  });
});

describe("semver", () => {
  test("the example of the specification, and what npm and Go have besides", () =>
    expectSorted(compareSemver, [
      "0.0.0-20250101000000-abcdefabcdef",
      "0.0.0",
      "0.17.0",
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
      "1.2.9",
      "1.10.0",
      "20.0.0",
    ]));

  test("a v, build metadata and Go's own names make no difference", () => {
    expect(compareSemver("v1.2.3", "1.2.3")).toBe(0);
    expect(compareSemver("2.0.0+incompatible", "2.0.0")).toBe(0);
    expect(compareSemver("1.27", "1.27.0")).toBe(0);
    expect(compareSemver("go1.27.4", "1.27.4")).toBe(0);
    expect(sign(compareSemver("1.21rc2", "1.21.0"))).toBe(-1);
    expect(sign(compareSemver("1.21.0-rc.2", "1.21.0"))).toBe(-1);
  });
});

const PYTHON = [
  "1.dev0",
  "1.0.dev456",
  "1.0a1",
  "1.0a2.dev456",
  "1.0a12.dev456",
  "1.0a12",
  "1.0b1.dev456",
  "1.0b2",
  "1.0b2.post345.dev456",
  "1.0b2.post345",
  "1.0rc1.dev456",
  "1.0rc1",
  "1.0",
  "1.0+abc.5",
  "1.0+abc.7",
  "1.0+5",
  "1.0.post456.dev34",
  "1.0.post456",
  "1.1.dev1",
  "1.10",
  "2026.9.1",
  "1!0.1",
];

describe("PEP 440", () => {
  test("the example of the document, in full", () => expectSorted(comparePep440, PYTHON));

  test("one version may be written in several ways", () => {
    for (const [a, b] of [
      ["1.0", "1.0.0"],
      ["1.0RC1", "1.0c1"],
      ["1.0-alpha.1", "1.0a1"],
      ["1.0-1", "1.0.post1"],
      ["v1.0", "1.0"],
      ["1.0.post", "1.0.post0"],
    ] as const)
      expect([a, b, comparePep440(a, b)]).toEqual([a, b, 0]);
  });

  test("is what pip's own library says, of every pair", ({ skip }) => {
    const program = `
import json, sys
try:
    from packaging.version import Version
except ImportError:
    from pip._vendor.packaging.version import Version
all = [Version(each) for each in json.load(sys.stdin)]
print(json.dumps([(a > b) - (a < b) for a in all for b in all]))`;
    const { status, stdout } = spawnSync("python3", ["-c", program], {
      input: JSON.stringify(PYTHON),
      encoding: "utf8",
    });
    if (status !== 0) return skip("no Python with pip on this machine");
    expect(PYTHON.flatMap((a) => PYTHON.map((b) => sign(comparePep440(a, b))))).toEqual(JSON.parse(stdout));
  });
});
