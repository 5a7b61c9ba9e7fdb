// What each name that a Dockerfile builds from stands for: an image of this repo by the digest of its record, a folder that images
// share, a folder of pinned upstream files, or an image from elsewhere, pinned by digest.

import { join, relative } from "node:path";
import { type Dockerfile, type Edge, edgesOf } from "@waybill/dockerfile";
import { type ContextSource, storeFolder } from "@waybill/engine";
import {
  LOCK_FILE,
  type SetContext,
  debianArchitecture,
  fetchFiles,
  fetchPackages,
  parseSetContext,
  readLock,
  unpackPackages,
} from "@waybill/lock";
import { type Digest, WaybillError } from "@waybill/oci";
import { assertNoCycle } from "./cycle.ts";
import { type Image, SCOPE, findImage, readableImages } from "./image.ts";
import { ensureBytes, recordOfImage, store } from "./bytes.ts";
import { fetchExternal } from "./external.ts";
import { parseSharedContext, sharedFolder } from "./shared.ts";

export interface ContextOptions {
  buildArgs: Readonly<Record<string, string>>;
  /** `linux/amd64`: sets of packages differ between platforms. */
  platform: string;
  /** Stage to build; the last when absent. */
  target?: string | undefined;
  onLine?: ((line: string) => void) | undefined;
}

/** Fetches or builds whatever the target needs from outside the Dockerfile. */
export async function resolveContexts(
  image: Image,
  dockerfile: Dockerfile,
  options: ContextOptions,
): Promise<Record<string, ContextSource>> {
  const target = options.target === undefined ? {} : { target: options.target };
  const edges = edgesOf(dockerfile, options.buildArgs, { platform: options.platform, ...target });
  if (edges.some(({ reference }) => reference.startsWith(SCOPE))) assertNoCycle(image, await readableImages());
  const contexts: Record<string, ContextSource> = {};
  for (const edge of edges.filter((each) => each.reachable)) {
    contexts[edge.reference] ??= await resolve(image, edge, options);
  }
  return contexts;
}

async function resolve(image: Image, edge: Edge, options: ContextOptions): Promise<ContextSource> {
  if (edge.reference.startsWith(SCOPE)) return ownImage(image, edge);
  const shared = parseSharedContext(edge.reference);
  if (shared !== undefined) return { kind: "folder", path: sharedFolder(shared, placeOf(image, edge)) };
  const named = parseSetContext(edge.reference);
  if (named !== undefined) return { kind: "folder", path: await setFolder(image, edge, named, options) };
  const { bases } = await readLock(image.folder);
  const pinned = bases[edge.reference] as Digest | undefined;
  if (pinned !== undefined) {
    const digest = await fetchExternal(store(), edge.reference, pinned, options.platform);
    return { kind: "image", layout: storeFolder(), digest };
  }
  throw new WaybillError(`${edge.reference} is neither an image of this repo nor pinned`, {
    where: placeOf(image, edge),
    mend: `write ${SCOPE}<name>, or pin it with \`npx waybill lock ${image.name}\``,
  });
}

async function ownImage(image: Image, edge: Edge): Promise<ContextSource> {
  const name = edge.reference.slice(SCOPE.length);
  const base = await findImage(name, undefined, placeOf(image, edge));
  const record = await recordOfImage(base);
  await ensureBytes(base, record);
  return { kind: "image", layout: storeFolder(), digest: record.digest };
}

async function setFolder(
  image: Image,
  edge: Edge,
  { kind, set }: SetContext,
  options: ContextOptions,
): Promise<string> {
  const lock = await readLock(image.folder);
  const where = relative(process.cwd(), join(image.folder, LOCK_FILE));
  const frozen = process.env["WAYBILL_FROZEN_LOCK"] === "1";
  const fetch = { frozen, where, onProgress: options.onLine };
  const files = lock.files[set];
  const packages = lock.packages[set];
  if (kind === "files" && files !== undefined) return (await fetchFiles(files, options.platform, fetch)).folder;
  if (kind !== "files" && packages !== undefined) {
    const arch = debianArchitecture(options.platform);
    if (arch === undefined)
      throw new WaybillError(`Debian has no ${options.platform}`, { where: placeOf(image, edge) });
    const { folder } = await fetchPackages(packages, arch, fetch);
    return kind === "packages" ? folder : unpackPackages(folder);
  }
  throw new WaybillError(`the set "${set}" is not in image.lock.json`, {
    where: placeOf(image, edge),
    mend: `declare it in project.json, then \`npx waybill lock ${image.name}\``,
  });
}

const placeOf = (image: Image, edge: { line: number }): string =>
  `${relative(process.cwd(), image.dockerfile)}:${edge.line}`;
