// The sentences that reports share, whatever they are written in.

import { formatBytes, formatDelta, formatPercent, shortDigest } from "@waybill/format";
import type { ConfigChange } from "../diff/config.ts";
import type { ImageDiff, PlatformDiff } from "../diff/diff.ts";
import type { FileChange } from "../diff/files.ts";
import type { PackageChange } from "../diff/packages.ts";

/** Bytes for each platform, by image. */
export type Budgets = Readonly<
  Record<string, { compressed?: number | undefined; unpacked?: number | undefined } | undefined>
>;

/** "dc6a94d2b921 -> 34ab…", "new, 34ab…", "gone", "the same". */
export function digestsOf({ from, to }: ImageDiff): string {
  if (from === to) return "the same";
  if (from === undefined) return `new, ${shortDigest(to ?? "")}`;
  return `${shortDigest(from)} -> ${to === undefined ? "gone" : shortDigest(to)}`;
}

/** "41.8 MB -> 42.1 MB (+0.3 MB)". @param of which of the two sizes */
export function sizesOf({ from, to }: PlatformDiff, of: "size" | "unpackedSize"): string {
  if (to === undefined) return `${formatBytes(from?.[of] ?? 0)} -> gone`;
  if (from === undefined) return formatBytes(to[of]);
  return `${formatBytes(from[of])} -> ${formatBytes(to[of])} (${formatDelta(to[of] - from[of])})`;
}

/** Of the tighter of the two budgets; empty where there is none. */
export function budgetUsed({ to }: PlatformDiff, budget: Budgets[string]): string {
  const { compressed, unpacked } = budget ?? {};
  const used = [
    ...(compressed === undefined || to === undefined ? [] : [to.size / compressed]),
    ...(unpacked === undefined || to === undefined ? [] : [to.unpackedSize / unpacked]),
  ];
  return used.length === 0 ? "" : formatPercent(Math.max(...used), 1);
}

/** "3 upgraded, 1 added"; empty where none changed. */
export function countChanges(changes: readonly { change: string }[]): string {
  const counts = Map.groupBy(changes, ({ change }) => change);
  return ["upgraded", "downgraded", "changed", "added", "removed"]
    .filter((kind) => counts.has(kind))
    .map((kind) => `${counts.get(kind)?.length} ${kind}`)
    .join(", ");
}

/** "libc6 2.41-12 -> 2.41-13", "undici 7.1.0 added". */
export function describePackage({ name, change, from, to }: PackageChange): string {
  if (change === "added") return `${name} ${to.join(", ")} added`;
  if (change === "removed") return `${name} ${from.join(", ")} removed`;
  return `${name} ${from.join(", ")} -> ${to.join(", ")}${change === "downgraded" ? " (older)" : ""}`;
}

export function describeConfig({ field, from, to }: ConfigChange): string {
  if (from === undefined) return `${field} added: ${to}`;
  return to === undefined ? `${field} removed: ${from}` : `${field} ${from} -> ${to}`;
}

export function describeFile({ path, change, what }: FileChange): string {
  return change === "changed" ? `/${path} (${what.join(", ")})` : `/${path} ${change}`;
}

/** A build step as people wrote it, without the engine's own remarks. */
export function describeStep(createdBy: string): string {
  const step = createdBy
    .replace(/ # buildkit$/, "")
    .replace(/^\/bin\/sh -c (#\(nop\) *)?/, "")
    .replace(/\s+/g, " ");
  return step === "" ? "(a layer that tells no step)" : step.length > 80 ? `${step.slice(0, 79)}…` : step;
}
