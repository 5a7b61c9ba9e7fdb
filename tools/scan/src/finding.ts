// A vulnerability of a package in an image: what several databases say of it as one thing, under the name that people know.

import type { Package } from "@waybill/inventory";
import { type Verdict, verdictOn } from "./affected.ts";
import type { Advisory } from "./osv/advisory.ts";
import { type Level, type Severity, severityOf, worse } from "./severity.ts";
import { type Subject, orderOf } from "./subject.ts";

export interface Finding {
  /** The CVE where there is one, else GHSA, GO, PYSEC, …. */
  id: string;
  /** Its other names, sorted. */
  aliases: string[];
  type: Package["type"];
  /** As it is installed; advisories on Debian name its `source`. */
  package: string;
  version: string;
  source?: string;
  severity: Level;
  /** CVSS 3 base score. */
  score?: number;
  /** The version that mends it, of the source where there is one; absent where there is none yet. */
  fixed?: string;
  summary: string;
  /** Where the package is in the image. */
  paths: string[];
  /** The variants that have the package; absent where the image itself has it. */
  variants?: string[];
}

interface Match {
  advisory: Advisory;
  severity: Severity;
  verdict: Verdict;
}

/** What the advisories say of one package; each vulnerability once. */
export function findingsOn(found: Package, subject: Subject, advisories: readonly Advisory[]): Finding[] {
  const matches = advisories.flatMap((advisory): Match[] => {
    const verdict = verdictOn(subject, advisory);
    return verdict === undefined ? [] : [{ advisory, verdict, severity: severityOf(advisory, verdict.entries) }];
  });
  return groupsOf(matches).map((group) => asFinding(found, subject, group));
}

function asFinding({ type, name, version, source, path }: Package, subject: Subject, group: readonly Match[]): Finding {
  const [id = "", ...aliases] = namesOf(group);
  const { level, score } = group.map(({ severity }) => severity).reduce(worse);
  // A database may not know of the fix that another knows: the nearest counts.
  const fixes = group.flatMap(({ verdict }) => verdict.fixed ?? []).sort(orderOf(subject.ecosystem));
  const texts = group.map(({ advisory: { summary, details } }) => summary || details || "");
  return {
    id,
    aliases: aliases.sort(),
    type,
    package: name,
    version,
    ...(source === undefined ? {} : { source: source.name }),
    severity: level,
    ...(score === undefined ? {} : { score }),
    ...(fixes[0] === undefined ? {} : { fixed: fixes[0] }),
    summary: firstLine(texts.find((text) => text !== "") ?? ""),
    paths: [path],
  };
}

const LONGEST = 160;

function firstLine(text: string): string {
  const line = text.trim().split(/\n/)[0] ?? "";
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** Advisories that name each other, or the same third one, are about one vulnerability. */
function groupsOf(matches: readonly Match[]): Match[][] {
  const groups: { names: Set<string>; matches: Match[] }[] = [];
  for (const match of matches.filter((each) => !isSummary(each.advisory, matches))) {
    const names = new Set(identities(match.advisory));
    const same = groups.filter((group) => [...names].some((name) => group.names.has(name)));
    for (const group of same) {
      groups.splice(groups.indexOf(group), 1);
      for (const name of group.names) names.add(name);
    }
    groups.push({ names, matches: [...same.flatMap((group) => group.matches), match] });
  }
  return groups.map((group) => group.matches);
}

/** Debian's record of a CVE names it as `upstream`, being about Debian's own package, and calls itself after it. */
function identities({ id, aliases, upstream }: Advisory): string[] {
  const own = (upstream ?? []).length === 1 ? (upstream as string[]) : [];
  return [id, ...(aliases ?? []), ...own, ...(id.startsWith("DEBIAN-CVE-") ? [id.slice("DEBIAN-".length)] : [])];
}

/** A DSA announces the fix of several CVEs: where each of them is told of by itself, it says nothing new. */
function isSummary({ id, upstream, aliases }: Advisory, matches: readonly Match[]): boolean {
  const covers = [...(upstream ?? []), ...(aliases ?? [])];
  if (!/^D[SL]A-/.test(id) || covers.length === 0) return false;
  const told = new Set(
    matches.filter(({ advisory }) => advisory.id !== id).flatMap(({ advisory }) => identities(advisory)),
  );
  return covers.every((name) => told.has(name));
}

const PREFERRED = ["CVE-", "GHSA-", "GO-", "PYSEC-"];

/** The best known first. */
function namesOf(group: readonly Match[]): string[] {
  const names = [...new Set(group.flatMap(({ advisory }) => identities(advisory)))];
  const rank = (name: string): number => {
    const at = PREFERRED.findIndex((start) => name.startsWith(start));
    return at < 0 ? PREFERRED.length : at;
  };
  return names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}
