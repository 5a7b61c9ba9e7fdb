// Patches images: moves the pins that carry a fix, builds what changes by that, and scans again. Where nothing is mended, or anything
// fails, the checkout is as it was before.

import { join } from "node:path";
import { type Image, buildImage, findImages, ownEdges, recordOfImage } from "@waybill/image";
import { LOCK_FILE, type NewerOptions, movedLock, writeLock } from "@waybill/lock";
import { type Digest, type ImageRecord, WaybillError, isExpected } from "@waybill/oci";
import type { Finding } from "../finding.ts";
import { type ImageScan, type ScanTarget, scanImages } from "../scan.ts";
import type { ScanOptions } from "../scan.ts";
import { type Chain, chainOf, inOrder } from "./chain.ts";
import { type Move, type PatchPlan, planPatch } from "./plan.ts";
import { Undo } from "./undo.ts";

export interface PatchOptions extends ScanOptions, NewerOptions {
  /** What an image's team ignores stays ignored. */
  targetOf: (image: Image) => Promise<ScanTarget>;
  /** Finds out what would move, and no more. */
  dryRun?: boolean | undefined;
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ImagePatch {
  name: string;
  /** The digest before and after; the same where the patch is not about this image. */
  from: Digest;
  to: Digest;
  /** Pins that moved, in this image or in what it is made of. */
  moves: Move[];
  fixed: Finding[];
  remaining: Finding[];
  /** Found after the patch, and not before: a newer version may bring what the older had not. */
  added: Finding[];
  sizes: { platform: string; from: number; to: number }[];
}

/**
 * @returns a patch for each image, in the order given
 * @throws {WaybillError} something can't be had or built, or the signal; everything is as it was before
 */
export async function patchImages(images: readonly Image[], options: PatchOptions): Promise<ImagePatch[]> {
  const before = await scanAll(images, options);
  const chains = new Map<Image, Chain>();
  for (const image of images) chains.set(image, await chainOf(image));
  const plan = await planPatch(
    [...chains.values()],
    before.flatMap(({ scan }) => scan.findings),
    options,
  );
  options.signal?.throwIfAborted();
  const unchanged = (): ImagePatch[] => before.map(({ record, scan }) => patchOf(record, record, scan, scan, []));
  if (plan.moves.length === 0) return unchanged();
  if (options.dryRun === true)
    return unchanged().map((patch, at) => ({ ...patch, moves: movesFor(images[at] as Image, chains, plan) }));

  const undo = new Undo();
  try {
    await moveLocks(plan, undo, options);
    await build(images, plan, undo, options);
    const after = await scanAll(images, options);
    const patches = images.map((image, at) => {
      const [old, now] = [before[at] as Scanned, after[at] as Scanned];
      return patchOf(old.record, now.record, old.scan, now.scan, movesFor(image, chains, plan));
    });
    if (patches.some(isPatched)) undo.keep();
    else await undo.everything();
    return patches;
  } catch (error) {
    await undo.everything();
    if (!isExpected(error)) throw error;
    throw new WaybillError(`${error.what}; nothing was patched`, {
      where: error.where,
      mend: error.mend,
      cause: error,
    });
  }
}

/** Whether there is anything to ship: the image is another one. */
export const isPatched = ({ from, to }: Pick<ImagePatch, "from" | "to">): boolean => from !== to;

interface Scanned {
  record: ImageRecord;
  scan: ImageScan;
}

async function scanAll(images: readonly Image[], options: PatchOptions): Promise<Scanned[]> {
  const targets: ScanTarget[] = [];
  for (const image of images) targets.push(await options.targetOf(image));
  const scans = await scanImages(targets, options);
  return targets.map(({ record }, at) => ({ record, scan: scans[at] as ImageScan }));
}

/** All of them are found before the first is written. */
async function moveLocks({ locks }: PatchPlan, undo: Undo, options: PatchOptions): Promise<void> {
  for (const { image, newer } of locks) {
    // Bases come first, so that what stands on them sees what they have now.
    const lock = await movedLock(image.folder, newer, options);
    options.signal?.throwIfAborted();
    undo.file(join(image.folder, LOCK_FILE));
    await writeLock(image.folder, lock);
  }
}

/** Only what has another pin, or stands on something that came out as another image. */
async function build(
  images: readonly Image[],
  { locks }: PatchPlan,
  undo: Undo,
  { onLine, onProgress, signal }: PatchOptions,
): Promise<void> {
  const all = await findImages();
  const changed = new Set<string>();
  for (const image of inOrder(images, all)) {
    const isMoved = locks.some((lock) => lock.image === image);
    if (!isMoved && ![...ownEdges(image).keys()].some((name) => changed.has(name))) continue;
    signal?.throwIfAborted();
    const { digest, platforms, variants } = await recordOfImage(image);
    onProgress?.(`building ${image.name}`);
    undo.build(image);
    const built = await buildImage(image, {
      platforms: platforms.map(({ platform }) => platform),
      variants: Object.keys(variants),
      onLine,
      signal,
    });
    if (built.digest !== digest) changed.add(image.name);
  }
}

function movesFor(image: Image, chains: ReadonlyMap<Image, Chain>, { moves }: PatchPlan): Move[] {
  const names = new Set(chains.get(image)?.builtFrom.map(({ name }) => name));
  return moves.filter((move) => names.has(move.image));
}

function patchOf(from: ImageRecord, to: ImageRecord, old: ImageScan, now: ImageScan, moves: Move[]): ImagePatch {
  const key = ({ id, type, package: name }: Finding): string => `${id} ${type} ${name}`;
  const [before, after] = [new Set(old.findings.map(key)), new Set(now.findings.map(key))];
  return {
    name: from.name,
    from: from.digest,
    to: to.digest,
    moves: from.digest === to.digest ? [] : moves,
    fixed: old.findings.filter((finding) => !after.has(key(finding))),
    remaining: now.findings.filter((finding) => before.has(key(finding))),
    added: now.findings.filter((finding) => !before.has(key(finding))),
    sizes: to.platforms.map(({ platform, size }) => ({
      platform,
      from: from.platforms.find((each) => each.platform === platform)?.size ?? 0,
      to: size,
    })),
  };
}
