// Whole scans: images as they lie in a store, advisories from a server that speaks OSV's protocol or a folder of its files.

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BlobStore, ImageRecord } from "@waybill/oci";
import { goProgram } from "../../inventory/test/go-program.ts";
import { imageOf, temporaryStore } from "../../inventory/test/image.ts";
import { OsvApi } from "../src/osv/api.ts";
import { advisorySource } from "../src/osv/source.ts";
import { type Ignored, readIgnored } from "../src/ignore.ts";
import { formatScans, markdownOfScans, scanImages } from "../src/index.ts";
import { debian, github, golang } from "./advisories.ts";
import { type OsvServer, startOsv } from "./osv-server.ts";

const OPENSSL = debian("CVE-2026-1001", "openssl", [{ introduced: "0" }, { fixed: "3.5.7-1~deb13u4" }]);
const GLIBC = debian("CVE-2026-1002", "glibc", [{ introduced: "0" }]);
const STARLETTE = github(
  "GHSA-star",
  "CVE-2026-1003",
  ["PyPI", "starlette"],
  [{ introduced: "1.0.0" }, { fixed: "1.10.1" }],
  "LOW",
);
const FASTIFY = github("GHSA-fast", "CVE-2026-1004", ["npm", "fastify"], [{ introduced: "0" }, { fixed: "5.12.8" }]);
const STDLIB = golang("GO-2026-1005", "CVE-2026-1005", "stdlib", [{ introduced: "1.27.0" }, { fixed: "1.27.5" }]);
const ALL = [OPENSSL, GLIBC, STARLETTE, FASTIFY, STDLIB];

const status = (name: string, version: string, source: string): string =>
  `Package: ${name}\nVersion: ${version}\nSource: ${source}\n`;

/** What images of this repo have, and a Go program in two places. */
async function fleetImage(store: BlobStore): Promise<ImageRecord> {
  const program = goProgram("go1.27.4", "mod\twaybill/x\t(devel)\t");
  const entries = [
    { path: "usr/lib/os-release", content: 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n' },
    { path: "var/lib/dpkg/status.d/libssl3t64", content: status("libssl3t64", "3.5.7-1~deb13u3", "openssl") },
    { path: "var/lib/dpkg/status.d/libc6", content: status("libc6", "2.41-12+deb13u4", "glibc") },
    { path: "venv/starlette-1.10.0.dist-info/METADATA", content: "Name: starlette\nVersion: 1.10.0\n" },
    { path: "app/node_modules/fastify/package.json", content: '{"name":"fastify","version":"5.12.8"}' },
    { path: "usr/bin/one", mode: 0o755, content: program },
    { path: "usr/bin/two", mode: 0o755, content: program },
  ];
  return await imageOf(store, [{ createdBy: "COPY", entries }]);
}

async function folder(files: Record<string, object> = {}): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "waybill-scan-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), JSON.stringify(content));
  }
  return root;
}

const entry = (more: Partial<Ignored> = {}): Ignored => ({
  id: "CVE-2026-1002",
  reason: "our programs never call it",
  until: "2026-12-31",
  ...more,
});

async function served(advisories: readonly object[]): Promise<OsvServer> {
  const osv = await startOsv(advisories);
  onTestFinished(osv.stop);
  return osv;
}

async function scan(own: Ignored[] = [], inherited: Ignored[] = [], today = "2026-11-21") {
  const store = await temporaryStore();
  const record = await fleetImage(store);
  const source = new OsvApi((await served(ALL)).url, await folder());
  const [found] = await scanImages([{ record, own, inherited }], { store, source, today });
  if (found === undefined) throw new Error("nothing was scanned");
  return found;
}

describe("a scan", () => {
  test("finds what advisories know of every kind of package, the worst first, and where it is", async () => {
    const { findings, packages, unknown } = await scan();
    expect([packages, unknown]).toEqual([5, 1]);
    expect(findings.map(({ id, package: name, fixed, severity }) => [id, name, fixed, severity])).toEqual([
      ["CVE-2026-1002", "libc6", undefined, "high"],
      ["CVE-2026-1001", "libssl3t64", "3.5.7-1~deb13u4", "high"],
      ["CVE-2026-1003", "starlette", "1.10.1", "low"],
      ["CVE-2026-1005", "stdlib", "1.27.5", "unknown"],
    ]);
    expect(findings.at(-1)?.paths).toEqual(["usr/bin/one", "usr/bin/two"]);
  });

  test("asks nothing about an image without packages", async () => {
    const store = await temporaryStore();
    const record = await imageOf(store, [{ createdBy: "COPY", entries: [{ path: "a", content: "x" }] }]);
    const osv = await served(ALL);
    await scanImages([{ record, own: [], inherited: [] }], { store, source: new OsvApi(osv.url, await folder()) });
    expect(osv.requests).toEqual([]);
  });

  test("is told on a terminal and as Markdown; nothing of a database is read as Markdown", async () => {
    const found = await scan([entry({ until: "2026-01-01" })]);
    const text = formatScans([found]);
    expect(text).toContain("libssl3t64 3.5.7-1~deb13u3 of openssl");
    expect(text).toContain("4 vulnerabilities: 2 high, 1 low, 1 unknown; 3 with a fix");
    expect(text).toContain("ran out on 2026-01-01: look at it again");
    const hostile = { ...found, findings: found.findings.map((each) => ({ ...each, summary: "<img> | @all [x](y)" })) };
    expect(markdownOfScans([hostile])).toContain("\\<img\\> \\| \\@all \\[x\\](y)");
    expect(markdownOfScans([found]).match(/^\| (high|low|unknown)/gm)).toHaveLength(4);
  });
});

describe("what a team lives with", () => {
  test("is told apart, with its reason, by any of its names and for one package or all", async () => {
    for (const each of [
      entry(),
      entry({ id: "DEBIAN-CVE-2026-1002", package: "libc6" }),
      entry({ package: "glibc" }),
    ]) {
      const { findings, ignored, problems } = await scan([each]);
      expect(findings.map(({ id }) => id)).not.toContain("CVE-2026-1002");
      expect(ignored).toMatchObject([{ id: "CVE-2026-1002", reason: each.reason, until: "2026-12-31" }]);
      expect(problems).toEqual([]);
    }
  });

  test("comes back on the day after its last, and says so", async () => {
    const last = await scan([entry()], [], "2026-12-31");
    expect([last.ignored.length, last.problems]).toEqual([1, []]);
    const after = await scan([entry()], [], "2027-01-01");
    expect(after.findings).toHaveLength(4);
    expect(after.problems).toEqual([
      "ignored-vulnerabilities.json: CVE-2026-1002 ran out on 2026-12-31: look at it again",
    ]);
  });

  test("must be there: an entry that hides nothing is a finding, unless a base has it", async () => {
    const stale = entry({ package: "zlib1g" });
    expect((await scan([stale])).problems).toEqual([
      "ignored-vulnerabilities.json: CVE-2026-1002 of zlib1g hides nothing: take the entry away",
    ]);
    expect(await scan([], [stale])).toMatchObject({ problems: [], ignored: [] });
    expect((await scan([], [entry()])).ignored).toHaveLength(1);
  });

  test("is read from the image's folder: every problem with its line", async () => {
    const good = await folder({ "ignored-vulnerabilities.json": [entry()] });
    expect(await readIgnored(good)).toEqual([entry()]);
    expect(await readIgnored(await folder())).toEqual([]);
    const bad = await folder({ "ignored-vulnerabilities.json": [{ id: "CVE-2026-1", reason: "no", until: "soon" }] });
    await expect(readIgnored(bad)).rejects.toThrow(
      /2 problem\(s\): line 1: 0\.reason: say why.*0\.until: a day is YYYY-MM-DD/,
    );
  });
});

describe("OSV's service", () => {
  const subjects = [{ ecosystem: "Debian:13", name: "openssl", version: "1" }];

  test("is asked page by page, and each advisory once for each of its states", async () => {
    const more = debian("CVE-2026-1006", "openssl", [{ introduced: "0" }]) as { id: string; modified: string };
    const osv = await served([OPENSSL, more]);
    osv.pageSize = 1;
    const cache = await folder();
    const ids = async () => (await new OsvApi(osv.url, cache).advisoriesOn(subjects)).map(({ id }) => id);
    expect(await ids()).toEqual(["DEBIAN-CVE-2026-1001", "DEBIAN-CVE-2026-1006"]);
    expect(osv.requests.filter((request) => request.startsWith("GET"))).toHaveLength(2);
    osv.requests.length = 0;
    more.modified = "2026-11-20T00:00:00Z";
    await ids();
    expect(osv.requests.filter((request) => request.startsWith("GET"))).toEqual(["GET /v1/vulns/DEBIAN-CVE-2026-1006"]);
    expect(await readdir(cache)).toHaveLength(3);
  });

  test("is asked again where it is busy, and not for ever", async () => {
    const osv = await served([OPENSSL]);
    const api = new OsvApi(osv.url, await folder());
    osv.faults = [429, 503, 500];
    expect(await api.advisoriesOn(subjects)).toHaveLength(1);
    osv.faults = [503, 503, 503, 503];
    await expect(api.advisoriesOn(subjects)).rejects.toThrow(
      /answered 503, .*querybatch: try later, or set WAYBILL_OSV_URL/,
    );
    osv.faults = [400];
    await expect(api.advisoriesOn(subjects)).rejects.toThrow(/answered 400/);
  });

  test("that can't be reached, or answers something else, is one line", async () => {
    const closed = new OsvApi("http://127.0.0.1:9", await folder());
    await expect(closed.advisoriesOn(subjects)).rejects.toThrow(/can't be reached \(.*\), http:\/\/127.0.0.1:9/);
    const strange = await served([
      { ...OPENSSL, affected: [{ package: { ecosystem: "Debian:13", name: "openssl" }, ranges: "all" }] },
    ]);
    await expect(new OsvApi(strange.url, await folder()).advisoriesOn(subjects)).rejects.toThrow(/ranges/);
  });
});

describe("a folder of OSV's files", () => {
  const subjects = [
    { ecosystem: "Debian:13", name: "openssl", version: "1" },
    { ecosystem: "PyPI", name: "starlette", version: "1" },
  ];

  test("gives what is about the packages, and leaves other ecosystems' folders alone", async () => {
    const place = await folder({
      "Debian/DEBIAN-CVE-2026-1001.json": OPENSSL,
      "Debian/DEBIAN-CVE-2026-1002.json": GLIBC,
      "npm/broken.json": { affected: [{ package: { name: "openssl" }, ranges: "all" }] },
      "PyPI/GHSA-star.json": STARLETTE,
    });
    const source = await advisorySource(undefined, { WAYBILL_OSV_URL: place });
    const found = await source.advisoriesOn(subjects);
    expect(found.map(({ id }) => id).sort()).toEqual(["DEBIAN-CVE-2026-1001", "GHSA-star"]);
  });

  test("that is not there, or holds nothing, is no clean bill", async () => {
    await expect(advisorySource("/nowhere/osv", {})).rejects.toThrow(/no such folder of advisories, \/nowhere\/osv/);
    const source = await advisorySource(await folder(), {});
    await expect(source.advisoriesOn(subjects)).rejects.toThrow(/no advisory is in the folder/);
  });

  test("is OSV's own service where nothing else is named", async () => {
    expect((await advisorySource(undefined, {})).name).toBe("https://api.osv.dev");
    expect((await advisorySource("http://mirror.test/osv/", {})).name).toBe("http://mirror.test/osv");
  });
});
