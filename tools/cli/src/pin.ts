// Pins anew what one image takes from upstream: what `lock` does for many and `update` for one.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Image, SCOPE, assertConsumed, imageEdges, parseSharedContext, readDockerfile } from "@waybill/image";
import { type Refreshed, parseSetContext, refreshLock, resolveSource, writeNpmLock } from "@waybill/lock";
import { WaybillError, parseReference } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";

export interface PinOptions {
  /** Empty: what is declared and what is locked already. */
  platforms: readonly string[];
  dryRun: boolean;
  onProgress: (line: string) => void;
  signal?: AbortSignal | undefined;
}

/** @throws {WaybillError} something upstream can't be had, or doesn't fit the image */
export async function pin(declared: Image, { platforms, dryRun, onProgress, signal }: PinOptions): Promise<Refreshed> {
  const image = await pinSource(declared, onProgress, signal);
  signal?.throwIfAborted();
  const refreshed = await refreshLock(image.folder, {
    source: image.source,
    externalBases: externalBases(image),
    resolveBase,
    dryRun,
    platforms: platforms.length > 0 ? platforms : undefined,
    onProgress,
  });
  if (!dryRun && hasNpmLock(image)) await writeNpmLock(image.folder);
  return refreshed;
}

/** The upstream repository first: its Dockerfile says what else is pinned. */
async function pinSource(image: Image, onProgress: (line: string) => void, signal?: AbortSignal): Promise<Image> {
  if (image.metadata.source === undefined) return image;
  const source = await resolveSource(image.metadata.source, { imageFolder: image.folder, onProgress, signal });
  const pinned = { ...image, source };
  assertConsumed(readDockerfile(pinned), image.metadata.buildArgs);
  return pinned;
}

export const hasNpmLock = (image: Image): boolean => existsSync(join(image.folder, "npm", "package-lock.json"));

/** References of images that aren't of this repo. */
export function externalBases(image: Image): string[] {
  return imageEdges(image, readDockerfile(image))
    .map(({ reference }) => reference)
    .filter((reference) => !reference.startsWith(SCOPE) && !isFolder(reference));
}

const isFolder = (reference: string): boolean =>
  parseSetContext(reference) !== undefined || parseSharedContext(reference) !== undefined;

async function resolveBase(text: string): Promise<string> {
  const { registry, repository, tag, digest } = parseReference(text);
  const found = await new RegistryClient(registry).headManifest(repository, digest ?? tag ?? "latest");
  if (found === undefined) throw new WaybillError("the registry has no such image", { where: text });
  return found.digest;
}
