// Which images may go, by the rules of the configuration: by age, by last use, by tag, by upstream, by size. Data only: collect.ts
// carries it out, or shows it.

import type { Digest } from "@waybill/oci/digest";
import type { GcConfig, GcRule } from "../config.ts";
import { matches } from "../glob.ts";
import { formatName } from "../name.ts";
import type { Held, Store } from "../store/store.ts";
import type { Graph } from "./graph.ts";

/** What is to go from one repository. */
export interface Removal extends Held {
  tags: string[];
  manifests: Set<Digest>;
}

/** @param now in milliseconds since the epoch */
export async function planRemovals(store: Store, graph: Graph, config: GcConfig, now: number): Promise<Removal[]> {
  const removals: Removal[] = [];
  for await (const held of store.repositories()) {
    const rules = config.rules.filter(({ repositories }) => matches(repositories, formatName(held.name)));
    const removal = rules.length > 0 ? await planRepository(graph, held, rules, now) : undefined;
    if (removal && removal.tags.length + removal.manifests.size > 0) removals.push(removal);
  }
  return removals;
}

interface DatedTag {
  tag: string;
  digest: Digest;
  set: number;
  used: number;
}

async function planRepository(graph: Graph, held: Held, rules: GcRule[], now: number): Promise<Removal> {
  const { repository } = held;
  const tags: DatedTag[] = [];
  for (const tag of await repository.tags()) {
    const record = await repository.tag(tag);
    if (record) tags.push({ tag, ...record, used: await repository.lastUsed("_manifests", record.digest) });
  }
  const gone = new Set(rules.flatMap((rule) => tagsToRemove(tags, rule, now)));
  const staying = tags.filter(({ tag }) => !gone.has(tag));
  const kept = await reachOf(graph, held, staying);
  const manifests = await reachOf(
    graph,
    held,
    tags.filter(({ tag }) => gone.has(tag)),
  );
  for (const digest of await untagged(held, kept, rules, now)) manifests.add(digest);
  return { ...held, tags: [...gone], manifests: manifests.difference(kept) };
}

function tagsToRemove(tags: readonly DatedTag[], rule: GcRule, now: number): string[] {
  const { olderThan, unusedFor } = rule;
  if (olderThan === undefined && unusedFor === undefined) return [];
  return tags
    .filter(({ tag }) => matches(rule.tags, tag))
    .sort((a, b) => b.set - a.set)
    .slice(rule.keepNewest)
    .filter(({ set, used }) => now - set > (olderThan ?? 0) && now - used > (unusedFor ?? 0))
    .map(({ tag }) => tag);
}

async function untagged({ repository }: Held, kept: Set<Digest>, rules: GcRule[], now: number): Promise<Digest[]> {
  const limits = rules.map(({ untaggedFor }) => untaggedFor).filter((limit) => limit !== undefined);
  if (limits.length === 0) return [];
  const found: Digest[] = [];
  for (const digest of await repository.manifests()) {
    if (kept.has(digest)) continue;
    if (now - (await repository.lastUsed("_manifests", digest)) > Math.min(...limits)) found.push(digest);
  }
  return found;
}

async function reachOf(graph: Graph, { repository }: Held, tags: readonly DatedTag[]): Promise<Set<Digest>> {
  const reached = new Set<Digest>();
  for (const { digest } of tags) await graph.reach(repository, digest, reached);
  return reached;
}
