// The tags a version has in a registry: itself, and the shorter ones that follow the newest of their line.

import { isVersion } from "@waybill/oci/registry";

/**
 * @param version "1.4.2", "17.12.0-rc.1"
 * @param existing the repository's tags
 * @returns "1.4.2", "1.4", "1"; a short one only where no newer version of its line is there. A pre-release has its own alone.
 */
export function versionTags(version: string, existing: readonly string[]): string[] {
  const plain = version.replaceAll("+", "_");
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(plain);
  if (parts === null) return [plain];
  const lines = [`${parts[1]}.${parts[2]}`, parts[1] as string];
  const newest = (line: string): boolean =>
    existing.every((tag) => !isVersion(tag) || !tag.startsWith(`${line}.`) || compare(tag, plain) <= 0);
  return [plain, ...lines.filter(newest)];
}

function compare(a: string, b: string): number {
  // A pre-release is never newer than what is released.
  if (/[-_]/.test(a)) return -1;
  const [x, y] = [a, b].map((version) => version.replace(/^v/, "").split(".").map(Number)) as [number[], number[]];
  return [0, 1, 2].map((i) => (x[i] ?? 0) - (y[i] ?? 0)).find((order) => order !== 0) ?? 0;
}
