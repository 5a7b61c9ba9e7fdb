// What of the cache has had its time. Planned as data first, as with a push; a record's image goes only when no record that stays
// names it, and nothing goes that a tag of somebody else's needs.

import type { Digest } from "@waybill/oci/digest";
import { WaybillError } from "@waybill/oci/error";
import { type RegistryClient, RegistryError } from "@waybill/oci/registry";
import type { ListedEntry, Listing } from "./listing.ts";

export interface PruneOptions {
  /** Younger entries stay. Milliseconds. */
  keepMs: number;
  /** So many entries of each task of each project stay, the newest, however old. */
  keepPerImage: number;
  /** Milliseconds since the epoch. */
  now: number;
}

export interface PrunePlan {
  repository: string;
  entries: ListedEntry[];
  images: Listing["images"];
  kept: { entries: number; images: number };
}

export function planPrune(listing: Listing, options: PruneOptions): PrunePlan {
  const staying = entriesToKeep(listing.entries, options);
  // Two tags may name one manifest, and a manifest is deleted with all of its tags.
  const stayingManifests = new Set([...staying].map(({ digest }) => digest));
  const needed = new Set([...listing.foreign, ...[...staying].flatMap(({ needs }) => needs)]);
  const entries = listing.entries.filter(({ digest }) => !stayingManifests.has(digest) && !listing.foreign.has(digest));
  // Indexes first: zot deletes no manifest that an index names.
  const images = listing.images
    .filter(({ digest }) => !needed.has(digest))
    .toSorted((a, b) => Number(b.isIndex) - Number(a.isIndex));
  return {
    repository: listing.repository,
    entries,
    images,
    kept: { entries: listing.entries.length - entries.length, images: listing.images.length - images.length },
  };
}

function entriesToKeep(entries: readonly ListedEntry[], { keepMs, keepPerImage, now }: PruneOptions): Set<ListedEntry> {
  const staying = new Set(entries.filter((entry) => now - madeAt(entry) < keepMs));
  const tasks = Map.groupBy(entries, ({ facts }) => `${facts.project}:${facts.target}`);
  for (const [, ofTask] of tasks) {
    const newest = ofTask.toSorted((a, b) => madeAt(b) - madeAt(a)).slice(0, keepPerImage);
    for (const entry of newest) if (entry.facts.project !== undefined) staying.add(entry);
  }
  return staying;
}

/** An entry that doesn't say is as old as can be. */
function madeAt({ facts }: ListedEntry): number {
  const time = Date.parse(facts.created ?? "");
  return Number.isNaN(time) ? 0 : time;
}

/**
 * Deletes what is in the plan: entries before the images they name.
 * @param again a plan made just now: a run may meanwhile have stored a record of an old image, which then stays
 * @throws {WaybillError} the registry deletes nothing
 */
export async function carryOutPrune(client: RegistryClient, plan: PrunePlan, again: PrunePlan): Promise<void> {
  for (const part of ["entries", "images"] as const) {
    const still = new Set(again[part].map(({ digest }) => digest));
    const doomed = new Set(plan[part].map(({ digest }) => digest).filter((digest) => still.has(digest)));
    for (const digest of doomed) await remove(client, plan.repository, digest);
  }
}

async function remove(client: RegistryClient, repository: string, digest: Digest): Promise<void> {
  try {
    await client.deleteManifest(repository, digest);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.status !== 405) throw error;
    throw new WaybillError("the registry does not let manifests be deleted", {
      where: `${client.registry}/${repository}`,
      mend: "set REGISTRY_STORAGE_DELETE_ENABLED=true there, or use its own retention (docs/remote-cache.md)",
      cause: error,
    });
  }
}
