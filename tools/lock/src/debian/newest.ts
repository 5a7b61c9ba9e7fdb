// What takes the place of pinned versions that are gone from every archive: the newest of the suite, found through its signed
// index.

import { run } from "@waybill/oci";
import type { DebianPackage, PackageSet } from "../schema.ts";
import { openApt } from "./apt.ts";
import type { Apt } from "./apt.ts";
import type { DebianArchitecture, DebianSources } from "./archive.ts";

/**
 * The newest of each locked package's name, in the same order.
 * @throws {WaybillError} no apt here, a name the suite has no more, indexes that can't be read or verified
 */
export async function newestOf(
  locked: readonly DebianPackage[],
  { suite, suites = [] }: PackageSet,
  arch: DebianArchitecture,
  sources: DebianSources,
): Promise<DebianPackage[]> {
  const apt = await openApt({ sources, arch, suite, extraSuites: suites });
  const candidates = await apt.candidates(locked.map(({ name }) => name));
  return await Promise.all(locked.map((one) => notOlder(apt, one, candidates, suites)));
}

/** A package pinned from backports is newer than the suite's own: then backports has its successor. */
async function notOlder(
  apt: Apt,
  locked: DebianPackage,
  candidates: readonly DebianPackage[],
  suites: readonly string[],
): Promise<DebianPackage> {
  const candidate = candidates.find(({ name }) => name === locked.name);
  if (candidate === undefined) throw new Error(`apt gave no candidate for ${locked.name}`);
  if (!(await isOlder(candidate.version, locked.version))) return candidate;
  for (const suite of suites) {
    const [other] = await apt.candidates([`${locked.name}/${suite}`]).catch(() => []);
    if (other !== undefined && !(await isOlder(other.version, locked.version))) return other;
  }
  return candidate;
}

async function isOlder(version: string, than: string): Promise<boolean> {
  return (await run("dpkg", ["--compare-versions", version, "lt", than])).exitCode === 0;
}
