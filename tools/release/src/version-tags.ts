// The tags a version has in a registry: itself, and the shorter ones that follow the newest of their line.

import { isVersion } from "@waybill/oci/registry";
import { partsOf } from "./upstream-versions.ts";

/**
 * @param version "1.4.2", "18.2.7-2", "17.12.0-rc.1"
 * @param existing the repository's tags
 * @returns "1.4.2", "1.4", "1" (before them "18.2.7-2" for the second release of upstream's 18.2.7); a short one only where no newer
 *   version of its line is there. A pre-release has its own alone.
 */
export function versionTags(version: string, existing: readonly string[]): string[] {
  const plain = version.replaceAll("+", "_");
  const { base, revision } = partsOf(plain);
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(base);
  if (parts === null) return [plain];
  const lines = [...(revision > 0 ? [base] : []), `${parts[1]}.${parts[2]}`, parts[1] as string];
  const newest = (line: string): boolean =>
    existing.every((tag) => !isVersion(tag) || !isOf(line, tag) || compare(tag, plain) <= 0);
  return [plain, ...lines.filter(newest)];
}

const isOf = (line: string, tag: string): boolean => tag.startsWith(`${line}.`) || tag.startsWith(`${line}-`);

function compare(a: string, b: string): number {
  const [one, other] = [partsOf(a), partsOf(b)];
  // A pre-release is never newer than what is released.
  if (/[-_]/.test(one.base)) return -1;
  const [x, y] = [one, other].map(numbersOf) as [number[], number[]];
  return [0, 1, 2, 3].map((i) => (x[i] ?? 0) - (y[i] ?? 0)).find((order) => order !== 0) ?? 0;
}

const numbersOf = ({ base, revision }: ReturnType<typeof partsOf>): number[] => [
  ...base.replace(/^v/, "").split(".").map(Number),
  revision,
];
