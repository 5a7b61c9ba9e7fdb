// How large the cache is, and of what.

import type { Listing } from "./listing.ts";

export interface CacheStats {
  repository: string;
  /** By target, the most entries first; "" where an entry doesn't tell. `size` in bytes. */
  targets: { target: string; entries: number; size: number }[];
  images: number;
  /** Of the images' blobs, each counted once; in bytes. */
  imageSize: number;
  /** ISO 8601; absent where there is nothing. */
  oldest?: string;
  newest?: string;
}

export function statsOf({ repository, entries, blobs }: Listing): CacheStats {
  const byTarget = Map.groupBy(entries, ({ facts }) => facts.target ?? "");
  const targets = [...byTarget].map(([target, group]) => ({
    target,
    entries: group.length,
    size: sum(group.map(({ size }) => size)),
  }));
  const times = entries.flatMap(({ facts }) => facts.created ?? []).sort();
  return {
    repository,
    targets: targets.sort((a, b) => b.entries - a.entries || (a.target < b.target ? -1 : 1)),
    images: new Set(entries.flatMap(({ facts }) => facts.image ?? [])).size,
    imageSize: sum([...blobs.values()]),
    ...(times.length > 0 ? { oldest: times[0] as string, newest: times.at(-1) as string } : {}),
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
