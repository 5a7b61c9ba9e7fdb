// What is in one platform of an image: its files, the packages they belong to, and how it runs.

import {
  type BlobStore,
  type ImageConfig,
  type LayerEntry,
  type PlatformRecord,
  type TreeEntry,
  readConfig,
  readLayer,
  readTree,
} from "@waybill/oci";
import { type Distribution, distributionOf, isOsRelease } from "./distribution.ts";
import { dpkg } from "./dpkg.ts";
import { goModules, mayBeGo } from "./golang.ts";
import { npm } from "./npm.ts";
import { type Package, comparePackages } from "./package.ts";
import { pypi } from "./pypi.ts";

export interface Inventory {
  record: PlatformRecord;
  config: ImageConfig;
  /** What a container of the image finds, by path; files with their sha256. */
  files: ReadonlyMap<string, TreeEntry>;
  /** By type, then name. */
  packages: Package[];
  distribution?: Distribution | undefined;
}

/** What was read of layers before, by digest: two versions of an image share most of theirs. */
export class KnownLayers {
  readonly entries = new Map<string, readonly LayerEntry[]>();
  readonly goPackages = new Map<string, readonly Package[]>();
}

const FINDERS = [dpkg, npm, pypi];
/** Of files that tell nothing: enough for ELF's magic. */
const HEAD_BYTES = 16;

/**
 * Reads each layer once, and again where it has programs that may be Go's.
 * @param store holds all of the platform's blobs
 * @throws {WaybillError} a layer is missing or damaged
 */
export async function inventoryOf(
  store: BlobStore,
  record: PlatformRecord,
  known = new KnownLayers(),
): Promise<Inventory> {
  const headBytes = (path: string, size: number): number =>
    isOsRelease(path) || FINDERS.some((finder) => finder.wants(path, size)) ? size : HEAD_BYTES;
  const files = await readTree(store, record.layers, { headBytes, hash: true, known: known.entries });
  const packages = [...files.values()].flatMap((entry) =>
    FINDERS.filter((finder) => finder.wants(entry.path, entry.size)).flatMap((finder) => finder.read(entry, files)),
  );
  for (const [index, layer] of record.layers.entries()) {
    const found = await goPackages(store, layer, known);
    // A program that a layer above hides is not in the image.
    const visible = found.filter(({ path }) => files.get(path)?.layer === index);
    packages.push(...visible.map((each) => ({ ...each, layer: index })));
  }
  const config = await readConfig(store, record.config);
  return { record, config, files, packages: packages.sort(comparePackages), distribution: distributionOf(files) };
}

/** A second pass, as a program's whole content is needed: over the layers that have any, one program at a time in memory. */
async function goPackages(
  store: BlobStore,
  layer: PlatformRecord["layers"][number],
  known: KnownLayers,
): Promise<readonly Package[]> {
  const before = known.goPackages.get(layer.digest);
  if (before !== undefined) return before;
  const entries = known.entries.get(layer.digest) ?? [];
  const programs = new Set(entries.filter(mayBeGo).map(({ path }) => path));
  const packages: Package[] = [];
  const headBytes = (path: string, size: number): number => (programs.has(path) ? size : 0);
  const visit = (entry: LayerEntry): void => {
    if (programs.has(entry.path)) packages.push(...goModules({ ...entry, layer: 0 }));
  };
  if (programs.size > 0) await readLayer(store, layer, visit, { headBytes });
  known.goPackages.set(layer.digest, packages);
  return packages;
}
