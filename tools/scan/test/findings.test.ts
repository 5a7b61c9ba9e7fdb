// Which versions an advisory is about, and what several of them say of one vulnerability.

import type { Package } from "@waybill/inventory";
import { describe, expect, test } from "vitest";
import { verdictOn } from "../src/affected.ts";
import { findingsOn } from "../src/finding.ts";
import { advisory } from "../src/osv/advisory.ts";
import { cvss3 } from "../src/severity.ts";
import { subjectOf } from "../src/subject.ts";
import { debian, github, golang } from "./advisories.ts";

const DEBIAN = { id: "debian", version: "13" };
const deb = (name: string, version: string, source?: { name: string; version: string }): Package => ({
  type: "deb",
  name,
  version,
  path: `var/lib/dpkg/status.d/${name}`,
  layer: 0,
  ...(source === undefined ? {} : { source }),
});
const other = (type: Package["type"], name: string, version: string): Package => ({
  type,
  name,
  version,
  path: "x",
  layer: 0,
});

function find(found: Package, ...advisories: object[]) {
  const subject = subjectOf(found, DEBIAN);
  if (subject === undefined) throw new Error("no subject");
  return findingsOn(
    found,
    subject,
    advisories.map((each) => advisory.parse(each)),
  );
}

describe("a version is one that an advisory is about", () => {
  const events = [{ introduced: "1.2.0" }, { fixed: "1.2.9" }, { introduced: "2.0.0" }, { last_affected: "2.1.0" }];
  test.each([
    ["1.1.9", false],
    ["1.2.0", true],
    ["1.2.8", true],
    ["1.2.9", false],
    ["1.10.0", false],
    ["2.0.0-rc.1", false],
    ["2.0.0", true],
    ["2.1.0", true],
    ["2.1.1", false],
  ])("%s: %s, in whatever order the events come", (version, about) => {
    for (const list of [events, events.toReversed()]) {
      const found = find(other("npm", "fastify", version), github("GHSA-a", "CVE-1", ["npm", "fastify"], list));
      expect(found.length > 0).toBe(about);
    }
  });

  test("by a list of versions, where ranges say nothing of packages", () => {
    const listed = {
      id: "PYSEC-1",
      affected: [
        {
          package: { ecosystem: "PyPI", name: "Typing_Extensions" },
          ranges: [{ type: "GIT", events: [{ introduced: "0" }, { fixed: "0123abc" }] }],
          versions: ["4.15.0", "4.16.0"],
        },
      ],
    };
    expect(find(other("pypi", "typing-extensions", "4.16.0"), listed)).toHaveLength(1);
    expect(find(other("pypi", "typing-extensions", "4.17.0"), listed)).toEqual([]);
  });

  test("not where the advisory is withdrawn, on another package, ecosystem or release of Debian", () => {
    const libc = deb("libc6", "2.41-12+deb13u4", { name: "glibc", version: "2.41-12+deb13u4" });
    const about = debian("CVE-2026-1", "glibc", [{ introduced: "0" }]);
    expect(find(libc, about)).toHaveLength(1);
    expect(find(libc, { ...about, withdrawn: "2026-11-01T00:00:00Z" })).toEqual([]);
    expect(find(libc, debian("CVE-2026-1", "glibc", [{ introduced: "0" }], {}, "12"))).toEqual([]);
    expect(find(libc, debian("CVE-2026-1", "libc6", [{ introduced: "0" }]))).toEqual([]);
    expect(find(other("npm", "glibc", "1.0.0"), about)).toEqual([]);
  });

  test("0 stands before every version, a limit ends a range", () => {
    expect(find(deb("a", "0~rc1"), debian("CVE-2026-2", "a", [{ fixed: "1" }, { introduced: "0" }]))).toHaveLength(1);
    const limited = github("GHSA-b", "CVE-3", ["npm", "a"], [{ introduced: "1.0.0" }, { limit: "2.0.0" }]);
    expect(find(other("npm", "a", "1.5.0"), limited)).toHaveLength(1);
    expect(find(other("npm", "a", "2.0.0"), limited)).toEqual([]);
  });
});

describe("Debian", () => {
  test("names sources: a binary package's source counts, with the version that it was built from", () => {
    const bash = deb("bash", "5.2.37-2+b10", { name: "bash", version: "5.2.37-2" });
    const fixed = debian("CVE-2026-4", "bash", [{ introduced: "0" }, { fixed: "5.2.37-2" }]);
    // The rebuild +b10 would be newer than the fix anyhow; the source is what has it.
    expect(find(bash, fixed)).toEqual([]);
    const zlib = deb("zlib1g", "1:1.3.dfsg+really1.3.1-1+b1", { name: "zlib", version: "1:1.3.dfsg+really1.3.1-1" });
    const later = debian("CVE-2026-5", "zlib", [{ introduced: "0" }, { fixed: "1:1.3.dfsg+really1.3.1-1+deb13u1" }]);
    expect(find(zlib, later)).toMatchObject([
      {
        id: "CVE-2026-5",
        aliases: ["DEBIAN-CVE-2026-5"],
        package: "zlib1g",
        source: "zlib",
        severity: "high",
        score: 7.5,
        fixed: "1:1.3.dfsg+really1.3.1-1+deb13u1",
        summary: "What CVE-2026-5 is about.",
      },
    ]);
  });

  test("calls unimportant what has no effect on its package, whatever CVSS says", () => {
    const about = debian("CVE-2010-4756", "glibc", [{ introduced: "0" }], {
      ecosystem_specific: { urgency: "unimportant" },
    });
    expect(find(deb("libc6", "2.41-12", { name: "glibc", version: "2.41-12" }), about)).toMatchObject([
      { severity: "negligible" },
    ]);
  });

  test("announces a fix of several CVEs: each is told once, and the announcement where a CVE is not told of", () => {
    const events = [{ introduced: "0" }, { fixed: "3.5.7-1~deb13u4" }];
    const [one, two] = ["CVE-2026-6", "CVE-2026-7"].map((cve) => debian(cve, "openssl", events)) as [object, object];
    const dsa = { ...debian("x", "openssl", events), id: "DSA-6100-1", upstream: ["CVE-2026-6", "CVE-2026-7"] };
    const libssl = deb("libssl3t64", "3.5.7-1~deb13u3", { name: "openssl", version: "3.5.7-1~deb13u3" });
    expect(find(libssl, one, two, dsa).map(({ id }) => id)).toEqual(["CVE-2026-6", "CVE-2026-7"]);
    expect(find(libssl, one, dsa).map(({ id }) => id)).toContain("DSA-6100-1");
  });

  test("of a derivative is not Debian's: no advisory is about its packages", () => {
    expect(subjectOf(deb("libc6", "2.39-0ubuntu8"), { id: "ubuntu", version: "24.04" })).toBeUndefined();
    expect(subjectOf(deb("libc6", "2.41-12"), undefined)?.ecosystem).toBe("Debian:13");
    expect(subjectOf(deb("libc6", "2.36-9"), { id: "debian", version: "12.11" })?.ecosystem).toBe("Debian:12");
  });
});

describe("one vulnerability", () => {
  test("has several names and is told once: the CVE, the worst severity, the nearest fix", () => {
    const ghsa = github(
      "GHSA-xx",
      "CVE-2026-8",
      ["Go", "golang.org/x/net"],
      [{ introduced: "0" }, { fixed: "0.60.0" }],
      "HIGH",
    );
    const go = golang("GO-2026-1", "CVE-2026-8", "golang.org/x/net", [{ introduced: "0" }, { fixed: "0.59.1" }]);
    expect(find(other("golang", "golang.org/x/net", "v0.58.0"), go, ghsa)).toMatchObject([
      { id: "CVE-2026-8", aliases: ["GHSA-xx", "GO-2026-1"], severity: "high", fixed: "0.59.1" },
    ]);
  });

  test("is one where two advisories know each other only through a third", () => {
    const events = [{ introduced: "0" }];
    const about = (id: string, aliases: string[]) => ({
      ...github(id, undefined, ["PyPI", "starlette"], events),
      aliases,
    });
    const found = find(
      other("pypi", "starlette", "1.10.0"),
      about("PYSEC-1", ["CVE-1"]),
      about("GHSA-1", ["CVE-2"]),
      about("GHSA-2", ["CVE-1", "CVE-2"]),
      about("GHSA-3", []),
    );
    expect(found.map(({ id }) => id)).toEqual(["CVE-1", "GHSA-3"]);
  });

  test("of Go's own library is of the version of Go", () => {
    const go = golang("GO-2026-2", "CVE-2026-9", "stdlib", [
      { introduced: "0" },
      { fixed: "1.26.9" },
      { introduced: "1.27.0-0" },
      { fixed: "1.27.5" },
    ]);
    expect(find(other("golang", "stdlib", "1.27.4"), go)).toMatchObject([{ fixed: "1.27.5", severity: "unknown" }]);
    expect(find(other("golang", "stdlib", "1.26.9"), go)).toEqual([]);
    expect(subjectOf(other("golang", "waybill/operator", "(devel)"), undefined)).toBeUndefined();
  });

  test("without a newer version that mends it has no fix", () => {
    const events = [{ introduced: "0" }, { fixed: "1.0.0" }, { introduced: "2.0.0" }];
    const [found] = find(other("npm", "pg", "2.1.0"), github("GHSA-c", "CVE-4", ["npm", "pg"], events));
    expect(found).not.toHaveProperty("fixed");
    expect(
      verdictOn(
        { ecosystem: "npm", name: "pg", version: "0.1.0" },
        advisory.parse(github("GHSA-c", "CVE-4", ["npm", "pg"], events)),
      ),
    ).toMatchObject({ fixed: "1.0.0" });
  });
});

/** Scores that FIRST's own calculator gives. */
test.each([
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10],
  ["CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1],
  ["CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", 7.8],
  ["CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", 5.9],
  ["CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", 1.6],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", undefined],
  ["CVSS:3.1/AV:N", undefined],
])("%s scores %s", (vector, score) => expect(cvss3(vector)).toBe(score));
