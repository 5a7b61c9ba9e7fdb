// Newer versions that Debian has of what a lock pins, and the lock with some of them moved: a security fix changes one line, where a
// refresh changes every pin that has a newer version.

import { run } from "@waybill/oci";
import { readDeclaration } from "../declaration.ts";
import { packagesOf } from "../images.ts";
import { readLock } from "../lock-file.ts";
import { type DebianPackage, type ImageLock, type PackageSet, listsOf } from "../schema.ts";
import { type Apt, openApt } from "./apt.ts";
import { type DebianArchitecture, type DebianSources, debianSources } from "./archive.ts";
import { newestOf } from "./newest.ts";
import { dpkgStatus } from "./status.ts";

export interface NewerPackage {
  set: string;
  arch: DebianArchitecture;
  name: string;
  /** The pinned version. */
  locked: string;
  /** The newest, as the lock would have it. */
  newest: DebianPackage;
  /** What the newest was built from: packages of one source move together. */
  source: { name: string; version: string };
  /** The suite's -security or -updates has a newer version: Debian's own word that something is mended. */
  isFix: boolean;
}

export interface NewerOptions {
  sources?: DebianSources | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

/**
 * Every pinned Debian package of the image in `imageFolder` that its suites have a newer version of.
 * @throws {WaybillError} no apt here, a name that the suite has no more, indexes that can't be read or verified
 */
export async function newerPackages(imageFolder: string, options: NewerOptions = {}): Promise<NewerPackage[]> {
  const { packages } = await readLock(imageFolder);
  const found: NewerPackage[] = [];
  for (const [name, set] of Object.entries(packages)) {
    for (const [arch, locked] of listsOf(set)) found.push(...(await newerOf(name, set, arch, locked, options)));
  }
  return found;
}

async function newerOf(
  set: string,
  locked: PackageSet,
  arch: DebianArchitecture,
  list: readonly DebianPackage[],
  { sources = debianSources(), onProgress }: NewerOptions,
): Promise<NewerPackage[]> {
  const { suite, suites = [] } = locked;
  const apt = await openApt({ sources, arch, suite, extraSuites: suites, onProgress });
  const newest = await newestOf(list, locked, arch, sources);
  const pairs = list.map((old, at) => ({ old, now: newest[at] as DebianPackage }));
  const changed = pairs.filter(({ old, now }) => old.version !== now.version);
  const names = changed.map(({ old }) => old.name);
  const [stanzas, offers] = [await apt.stanzas(names), await apt.offers(names)];
  const found: NewerPackage[] = [];
  for (const { old, now } of changed) {
    if (!(await isNewer(now.version, old.version))) continue;
    const mends = offers.filter((offer) => offer.name === old.name && isOfFixes(offer.suite, suite));
    const isFix = (await Promise.all(mends.map(({ version }) => isNewer(version, old.version)))).some(Boolean);
    found.push({ set, arch, name: old.name, locked: old.version, newest: now, source: sourceOf(now, stanzas), isFix });
  }
  return found;
}

const isOfFixes = (offered: string, suite: string): boolean =>
  offered === `${suite}-security` || offered === `${suite}-updates`;

async function isNewer(version: string, than: string): Promise<boolean> {
  return (await run("dpkg", ["--compare-versions", version, "gt", than])).exitCode === 0;
}

/** "Source: bash (5.2.37-2)" where name or version differ from the package's own. */
function sourceOf({ name, version }: DebianPackage, stanzas: readonly string[]): NewerPackage["source"] {
  const stanza = stanzas.find((text) => field(text, "Package") === name && field(text, "Version") === version) ?? "";
  const [, source = name, own = version] = /^(\S+)(?: \((.+)\))?$/.exec(field(stanza, "Source") ?? "") ?? [];
  return { name: source, version: own };
}

const field = (stanza: string, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)$`, "m").exec(stanza)?.[1];

/**
 * The lock with these packages at their newest, and with what they newly need. Writes nothing.
 * @throws {WaybillError} what they need can't be had
 */
export async function movedLock(
  imageFolder: string,
  moves: readonly NewerPackage[],
  { sources = debianSources(), onProgress }: NewerOptions = {},
): Promise<ImageLock> {
  const declaration = await readDeclaration(imageFolder);
  const lock = await readLock(imageFolder);
  const packages: Record<string, PackageSet> = { ...lock.packages };
  for (const [key, group] of Map.groupBy(moves, ({ set, arch }) => `${set} ${arch}`)) {
    const [name, arch] = key.split(" ") as [string, DebianArchitecture];
    const [set, declared] = [packages[name], declaration.packages[name]];
    if (set === undefined) continue;
    const list = set[arch] ?? [];
    const { suite, suites = [] } = set;
    const needed: DebianPackage[] = [];
    if (declared?.dependencies === true) {
      const apt = await openApt({ sources, arch, suite, extraSuites: suites, onProgress });
      const below = declared.on === undefined ? [] : await packagesOf(declared.on, arch, imageFolder);
      needed.push(...(await neededBy(apt, group, [...below, ...list], declared.without)));
    }
    packages[name] = { ...set, [arch]: merged(list, [...needed, ...group.map(({ newest }) => newest)]) };
  }
  return { ...lock, packages };
}

/** What installing the moved versions takes beside them, in a system that has all the rest. */
async function neededBy(
  apt: Apt,
  moves: readonly NewerPackage[],
  installed: readonly DebianPackage[],
  without: readonly string[],
): Promise<DebianPackage[]> {
  const wanted = moves.map(({ name, newest }) => `${name}=${newest.version}`);
  const solved = await apt.solve(wanted, await dpkgStatus(apt, installed, without));
  // apt takes an installed package anew where its stanza differs from the index's, as those of dpkgStatus do.
  const there = new Set(installed.map(({ name, version }) => `${name} ${version}`));
  return solved.filter(({ name, version }) => !there.has(`${name} ${version}`));
}

function merged(list: readonly DebianPackage[], newer: readonly DebianPackage[]): DebianPackage[] {
  const all = new Map(list.map((one) => [one.name, one]));
  for (const one of newer) all.set(one.name, one);
  return [...all.values()];
}
