// Whether a version is one that an advisory is about, and which version mends it (OSV schema, "Evaluation").

import type { Advisory, Affected, Event, Range } from "./osv/advisory.ts";
import { type Subject, orderOf } from "./subject.ts";

export interface Verdict {
  /** The oldest version that is newer than this one and has the fix; absent where there is none. */
  fixed?: string;
  /** Of the entries that are about the version: Debian's own word on the urgency. */
  entries: readonly Affected[];
}

/** @returns undefined where the advisory is withdrawn, or not about this version */
export function verdictOn(subject: Subject, { withdrawn, affected }: Advisory): Verdict | undefined {
  if (typeof withdrawn === "string") return undefined;
  const order = orderOf(subject.ecosystem);
  const entries = (affected ?? []).filter(
    (entry) => isAbout(entry, subject) && (isListed(entry, subject) || rangesOf(entry).some((range) => holds(range))),
  );
  function holds({ events }: Range): boolean {
    return isWithin(subject.version, events, order);
  }
  if (entries.length === 0) return undefined;
  const fixes = entries
    .flatMap(rangesOf)
    .flatMap(({ events }) => events.flatMap(({ fixed }) => fixed ?? []))
    .filter((version) => order(version, subject.version) > 0)
    .sort(order);
  return { entries, ...(fixes[0] === undefined ? {} : { fixed: fixes[0] }) };
}

/** Python's names have one normal form (PEP 503), which advisories don't all keep to. */
function isAbout({ package: about }: Affected, { ecosystem, name }: Subject): boolean {
  if (about === undefined) return false;
  const same = ecosystem === "PyPI" ? normal(about.name) === normal(name) : about.name === name;
  return same && (about.ecosystem === ecosystem || (ecosystem === "Debian" && about.ecosystem.startsWith("Debian:")));
}

const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

const isListed = ({ versions }: Affected, { version }: Subject): boolean => versions?.includes(version) ?? false;

/** Commits say nothing of packages. */
const rangesOf = ({ ranges }: Affected): Range[] => (ranges ?? []).filter(({ type }) => type !== "GIT");

function isWithin(version: string, events: readonly Event[], order: (a: string, b: string) => number): boolean {
  const limits = events.flatMap(({ limit }) => limit ?? []);
  if (limits.length > 0 && limits.every((limit) => limit !== "*" && order(version, limit) >= 0)) return false;
  let within = false;
  for (const event of sorted(events, order)) {
    const { introduced, fixed, last_affected: last } = event;
    if (introduced !== undefined && (introduced === "0" || order(version, introduced) >= 0)) within = true;
    if (fixed !== undefined && order(version, fixed) >= 0) within = false;
    if (last !== undefined && order(version, last) > 0) within = false;
  }
  return within;
}

/** Databases write events in any order. "0" stands before every version, "1.0~rc1" of Debian too. */
function sorted(events: readonly Event[], order: (a: string, b: string) => number): Event[] {
  const at = ({ introduced, fixed, last_affected: last }: Event): string => introduced ?? fixed ?? last ?? "0";
  const isStart = ({ introduced }: Event): boolean => introduced === "0";
  return events.toSorted((a, b) => Number(isStart(b)) - Number(isStart(a)) || order(at(a), at(b)));
}
