// One pin moved and the rest left: what a security fix does to a lock.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { type NewerPackage, movedLock, newerPackages } from "../src/debian/newer.ts";
import { checkLock, readLock, refreshLock, writeLock } from "../src/index.ts";
import type { DebianPackage } from "../src/schema.ts";
import { TestArchive, imageFolder, temporaryFolder } from "./archive.ts";

let archive: TestArchive;
beforeAll(async () => {
  archive = await TestArchive.start();
  vi.stubEnv("TMPDIR", archive.folder);
});
afterAll(() => archive.stop());

const versions = (list: readonly DebianPackage[] | undefined): string[] =>
  (list ?? []).map(({ name, version }) => `${name} ${version}`);

const ssl = (version: string, name: string, fields: Record<string, string> = {}) =>
  archive.deb(name, version, { fields: { Source: "openssl", ...fields }, security: version.includes("deb13u") });

/** An image locked when everything was at its first version; then openssl has a fix, and a program a new version that mends nothing. */
async function lockedImage(set: object): Promise<string> {
  const first = [
    await ssl("3.5-1", "libssl"),
    await ssl("3.5-1", "openssl", { Depends: "libssl (= 3.5-1)" }),
    await archive.deb("program", "1.0-1", { fields: { Depends: "libssl" } }),
    await archive.deb("libc", "2.0-1"),
  ];
  await archive.publishTrixie(first);
  const folder = await imageFolder(await temporaryFolder(onTestFinished), "images/x", { packages: { main: set } });
  // Each test's indexes are their own: an apt that is open keeps those it has read.
  await refreshLock(folder, { sources: freshSources() });
  const fixed = [
    await ssl("3.5-1+deb13u1", "libssl", { Depends: "libnew" }),
    await ssl("3.5-1+deb13u1", "openssl", { Depends: "libssl (= 3.5-1+deb13u1)" }),
    await archive.deb("libnew", "1.0-1", { security: true }),
  ];
  await archive.publishTrixie(
    [...first, await archive.deb("program", "2.0-1", { fields: { Depends: "libssl" } })],
    fixed,
  );
  return folder;
}

/** One archive under names of its own, as `openApt` reads the indexes of a place once a run. */
let names = 0;
const freshSources = () => {
  names++;
  return archive.sources({ archive: `${archive.url}/${"./".repeat(names)}debian` });
};

const label = ({ name, locked, newest, source, isFix }: NewerPackage): string =>
  `${name} ${locked} -> ${newest.version} of ${source.name} ${source.version}${isFix ? ", a fix" : ""}`;

test("what is newer is told, and which of it mends something by Debian's own word", async () => {
  const folder = await lockedImage({ debian: ["openssl", "program", "libc"] });
  const newer = await newerPackages(folder, { sources: freshSources() });
  expect(newer.map(label)).toEqual([
    "libssl 3.5-1 -> 3.5-1+deb13u1 of openssl 3.5-1+deb13u1, a fix",
    "openssl 3.5-1 -> 3.5-1+deb13u1 of openssl 3.5-1+deb13u1, a fix",
    "program 1.0-1 -> 2.0-1 of program 2.0-1",
  ]);
});

test("only what is chosen moves, with what it newly needs; nothing is written", async () => {
  const folder = await lockedImage({ debian: ["openssl", "program", "libc"] });
  const before = await readFile(join(folder, "image.lock.json"), "utf8");
  const sources = freshSources();
  const fixes = (await newerPackages(folder, { sources })).filter(({ isFix }) => isFix);
  const lock = await movedLock(folder, fixes, { sources });
  expect(versions(lock.packages.main?.amd64).sort()).toEqual([
    "libc 2.0-1",
    "libnew 1.0-1",
    "libssl 3.5-1+deb13u1",
    "openssl 3.5-1+deb13u1",
    "program 1.0-1",
  ]);
  expect(await readFile(join(folder, "image.lock.json"), "utf8")).toBe(before);
  await writeLock(folder, lock);
  expect(await checkLock(folder)).toEqual([]);
  expect((await readLock(folder)).packages.main?.amd64).toHaveLength(5);
});

test("a set without dependencies stays the packages that it names", async () => {
  const folder = await lockedImage({ debian: ["libssl", "libc"], dependencies: false });
  const sources = freshSources();
  const lock = await movedLock(folder, await newerPackages(folder, { sources }), { sources });
  expect(versions(lock.packages.main?.amd64)).toEqual(["libc 2.0-1", "libssl 3.5-1+deb13u1"].sort());
});

test("where nothing is newer nothing is told", async () => {
  const folder = await lockedImage({ debian: ["libc"] });
  expect(await newerPackages(folder, { sources: freshSources() })).toEqual([]);
});
