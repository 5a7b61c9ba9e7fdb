// The part of a package tree that some dependencies need, laid out anew under one node_modules. Versions stay those of the repo's
// lock; only the places change, because a package may move up once others that stood in its way are gone.

import { locate } from "./root-lock.ts";
import type { LockEntry } from "./root-lock.ts";

export interface PrunedEntry {
  /** Path in the tree that was pruned. */
  source: string;
  entry: LockEntry;
  /** True when only optional dependencies lead here: then another platform's package may be skipped. */
  optional: boolean;
}

interface PruneResult {
  /** By path in the new tree. */
  packages: Record<string, PrunedEntry>;
  /** Dependencies the tree lacks, as "name (needed by path)". */
  missing: string[];
}

interface Visit {
  /** Path in the old and in the new tree of the package whose dependencies are looked at. */
  from: string;
  to: string;
  optional: boolean;
}

interface Dependency {
  name: string;
  optional: boolean;
}

/** Takes what `entry`, the package at `path`, needs for production: not its dev dependencies. */
export function prune(packages: Record<string, LockEntry>, path: string, entry: LockEntry): PruneResult {
  const result: PruneResult = { packages: {}, missing: [] };
  const queue: Visit[] = [{ from: path, to: "", optional: false }];
  for (let visit = queue.shift(); visit !== undefined; visit = queue.shift()) {
    const { from, to, optional } = visit;
    for (const dependency of dependenciesOf(from === path ? entry : packages[from])) {
      const source = locate(packages, from, dependency.name);
      if (source === undefined) {
        if (!dependency.optional) result.missing.push(`${dependency.name} (needed by ${from})`);
        continue;
      }
      const next = add(result, packages, source, to, { ...dependency, optional: optional || dependency.optional });
      if (next !== undefined) queue.push(next);
    }
  }
  return result;
}

/** What npm installs with a package, sorted: peers too, unless they are optional. */
function dependenciesOf(entry: LockEntry | undefined): Dependency[] {
  if (entry === undefined) return [];
  const optional = new Set(Object.keys(entry.optionalDependencies));
  const peers = Object.keys(entry.peerDependencies).filter((name) => !entry.peerDependenciesMeta[name]?.optional);
  const all = new Set([...Object.keys(entry.dependencies), ...optional, ...peers]);
  return [...all].sort().map((name) => ({ name, optional: optional.has(name) }));
}

/** Puts `source` where `to` finds it; gives the visit that is due when it is new, or newly needed without fail. */
function add(
  { packages: placed }: PruneResult,
  packages: Record<string, LockEntry>,
  source: string,
  to: string,
  { name, optional }: Dependency,
): Visit | undefined {
  const entry = packages[source];
  if (entry === undefined) return undefined;
  const there = locate(placed, to, name);
  const known = there === undefined ? undefined : placed[there];
  if (there !== undefined && known?.source === source) {
    if (!known.optional || optional) return undefined;
    known.optional = false;
    return { from: source, to: there, optional };
  }
  // As high as nothing else of that name is seen from here, else beside the one that needs it. A bundled package stays put.
  const high = there === undefined && !entry.inBundle;
  const place = high || to === "" ? `node_modules/${name}` : `${to}/node_modules/${name}`;
  placed[place] = { source, entry, optional };
  return { from: source, to: place, optional };
}
