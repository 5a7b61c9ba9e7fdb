// Which packages came, went, or have another version.

import type { Package, PackageType } from "../package.ts";
import { compareVersions } from "./version.ts";

export interface PackageChange {
  type: PackageType;
  name: string;
  change: "added" | "removed" | "upgraded" | "downgraded";
  /** Versions, sorted: an npm tree may have several of one name. Empty where the package is not there. */
  from: string[];
  to: string[];
  /** Unpacked bytes that came, less those that went; absent where the packages don't tell. */
  size?: number;
}

/** Largest change of size first, then by name. */
export function diffPackages(from: readonly Package[], to: readonly Package[]): PackageChange[] {
  const before = grouped(from);
  const after = grouped(to);
  const changes: PackageChange[] = [];
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const change = changeOf(before.get(key) ?? [], after.get(key) ?? []);
    if (change !== undefined) changes.push(change);
  }
  return changes.sort((a, b) => Math.abs(b.size ?? 0) - Math.abs(a.size ?? 0) || (key(a) < key(b) ? -1 : 1));
}

const key = ({ type, name }: { type: string; name: string }): string => `${type}:${name}`;

function grouped(packages: readonly Package[]): Map<string, Package[]> {
  return Map.groupBy(packages, key);
}

function changeOf(before: Package[], after: Package[]): PackageChange | undefined {
  const from = versions(before);
  const to = versions(after);
  const { type, name } = (before[0] ?? after[0]) as Package;
  if (from.join(" ") === to.join(" ")) return undefined;
  const size = sizeOf(after, before);
  return { type, name, change: kindOf(from, to), from, to, ...(size === undefined ? {} : { size }) };
}

const versions = (packages: Package[]): string[] =>
  [...new Set(packages.map(({ version }) => version))].sort(compareVersions);

function kindOf(from: string[], to: string[]): PackageChange["change"] {
  if (from.length === 0) return "added";
  if (to.length === 0) return "removed";
  // Of several versions the newest counts, then how old the oldest is.
  const newest = compareVersions(from.at(-1) as string, to.at(-1) as string);
  return (newest || compareVersions(from[0] as string, to[0] as string)) <= 0 ? "upgraded" : "downgraded";
}

function sizeOf(plus: Package[], minus: Package[]): number | undefined {
  const sized = [...plus, ...minus].filter(({ size }) => size !== undefined);
  if (sized.length === 0) return undefined;
  const sum = (packages: Package[]): number => packages.reduce((total, { size = 0 }) => total + size, 0);
  return sum(plus) - sum(minus);
}
