// What changed between two versions of an image.

import type { BlobStore, Digest, ImageRecord } from "@waybill/oci";
import { type Inventory, KnownLayers, inventoryOf } from "../inventory.ts";
import { type ConfigChange, diffConfig } from "./config.ts";
import { type FileChange, diffFiles } from "./files.ts";
import { type LayerChange, diffLayers } from "./layers.ts";
import { type PackageChange, diffPackages } from "./packages.ts";

/** Bytes of all layers, compressed and as tars. */
export interface Sizes {
  size: number;
  unpackedSize: number;
}

export interface PlatformDiff {
  platform: string;
  /** Absent where the platform is new. */
  from?: Sizes;
  /** Absent where it is gone. */
  to?: Sizes;
  layers: LayerChange[];
  packages: PackageChange[];
  config: ConfigChange[];
  files: FileChange[];
}

export interface ImageDiff {
  name: string;
  from?: Digest;
  to?: Digest;
  platforms: PlatformDiff[];
}

type Side = Pick<ImageRecord, "digest" | "platforms"> | undefined;

/**
 * @param from absent for a new image
 * @param to absent for one that is gone
 * @param store holds the layers of both; where both have the same digest none is read
 * @throws {WaybillError} a layer is missing or damaged
 */
export async function diffImages(store: BlobStore, name: string, from: Side, to: Side): Promise<ImageDiff> {
  const known = new KnownLayers();
  const platforms: PlatformDiff[] = [];
  const names = new Set([...(from?.platforms ?? []), ...(to?.platforms ?? [])].map(({ platform }) => platform));
  for (const platform of from?.digest === to?.digest ? [] : [...names].sort()) {
    platforms.push(await diffPlatform(store, platform, from, to, known));
  }
  return {
    name,
    ...(from === undefined ? {} : { from: from.digest }),
    ...(to === undefined ? {} : { to: to.digest }),
    platforms,
  };
}

async function diffPlatform(
  store: BlobStore,
  platform: string,
  from: Side,
  to: Side,
  known: KnownLayers,
): Promise<PlatformDiff> {
  const before = await inventoryOfSide(store, platform, from, known);
  const after = await inventoryOfSide(store, platform, to, known);
  return {
    platform,
    ...(before === undefined ? {} : { from: sizesOf(before) }),
    ...(after === undefined ? {} : { to: sizesOf(after) }),
    layers: diffLayers(before?.record.layers ?? [], after?.record.layers ?? []),
    packages: diffPackages(before?.packages ?? [], after?.packages ?? []),
    // A new image's whole config is no change.
    config: before === undefined || after === undefined ? [] : diffConfig(before.config, after.config),
    files: before === undefined || after === undefined ? [] : diffFiles(before.files, after.files),
  };
}

async function inventoryOfSide(
  store: BlobStore,
  platform: string,
  side: Side,
  known: KnownLayers,
): Promise<Inventory | undefined> {
  const record = side?.platforms.find((each) => each.platform === platform);
  return record === undefined ? undefined : await inventoryOf(store, record, known);
}

const sizesOf = ({ record: { size, unpackedSize } }: Inventory): Sizes => ({ size, unpackedSize });
