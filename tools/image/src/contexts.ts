// What each name that a Dockerfile builds from stands for: an image of this repo by the digest of its record, a folder that images
// share, a folder of pinned upstream files, or an image from elsewhere, pinned by digest.

import type { Dockerfile } from "@waybill/dockerfile";
import type { ContextSource } from "@waybill/engine/engine";
import { storeFolder } from "@waybill/engine/home";
import { hostPlatform } from "@waybill/engine/host-platform";
import { readLock } from "@waybill/lock/lock-file";
import { parseSetContext } from "@waybill/lock/set-context";
import { type Digest, WaybillError } from "@waybill/oci";
import { assertNoCycle } from "./cycle.ts";
import { type ImageEdge, imageEdges } from "./edges.ts";
import { type Image, SCOPE, dockerfileText, findImage, readableImage } from "./image.ts";
import { ensureBytes, recordOfImage, store } from "./bytes.ts";
import { parseSharedContext, sharedFolder } from "./shared.ts";

export interface ContextOptions {
  buildArgs: Readonly<Record<string, string>>;
  /** `linux/amd64`: sets of packages differ between platforms. */
  platform: string;
  /** All that is built for, `platform` among them: a base is taken for all of them at once. Default: `platform`. */
  platforms?: readonly string[];
  /** Stage to build; the last when absent. */
  target?: string | undefined;
  onLine?: ((line: string) => void) | undefined;
  /** Ends downloads under way. */
  signal?: AbortSignal | undefined;
}

/** Fetches or builds whatever the target needs from outside the Dockerfile. */
export async function resolveContexts(
  image: Image,
  dockerfile: Dockerfile,
  options: ContextOptions,
): Promise<Record<string, ContextSource>> {
  const { buildArgs, platform, platforms = [platform], target } = options;
  const what = { buildArgs, platform, buildPlatform: hostPlatform(), ...(target !== undefined && { target }) };
  const edges = imageEdges(image, dockerfile, what).filter(({ reachable }) => reachable);
  if (edges.some(({ reference }) => reference.startsWith(SCOPE))) assertNoCycle(image, readableImage);
  const contexts: Record<string, ContextSource> = {};
  for (const edge of edges) {
    // One name may be wanted twice: to build with on this machine, and to stand on for the target.
    const same = edges.filter(({ name }) => name === edge.name);
    const wanted = same.flatMap((each) => (each.platform === undefined ? platforms : [each.platform]));
    contexts[edge.name] ??= await resolve(image, edge, [...new Set(wanted)], options);
  }
  return contexts;
}

async function resolve(
  image: Image,
  edge: ImageEdge,
  platforms: readonly string[],
  options: ContextOptions,
): Promise<ContextSource> {
  if (edge.reference.startsWith(SCOPE)) return ownImage(image, edge, platforms, options);
  const shared = parseSharedContext(edge.reference);
  if (shared !== undefined) return { kind: "folder", path: sharedFolder(shared, placeOf(image, edge)) };
  const named = parseSetContext(edge.reference);
  if (named !== undefined) {
    const { setFolder } = await import("./sets.ts");
    return { kind: "folder", path: await setFolder(image, named, placeOf(image, edge), options) };
  }
  const { bases } = await readLock(image.folder);
  const pinned = bases[edge.reference] as Digest | undefined;
  if (pinned !== undefined) {
    const { fetchExternal } = await import("./external.ts");
    const digests: Digest[] = [];
    for (const each of platforms) digests.push(await fetchExternal(store(), edge.reference, pinned, each));
    // The engine finds the platform in the index by itself.
    const digest = digests.length === 1 ? (digests[0] as Digest) : pinned;
    return { kind: "image", layout: storeFolder(), digest };
  }
  const instead = image.metadata.source === undefined ? `write ${SCOPE}<name>` : "let source.bases map it to an image";
  throw new WaybillError(`${edge.reference} is neither an image of this repo nor pinned`, {
    where: placeOf(image, edge),
    mend: `${instead}, or pin it with \`npx waybill lock ${image.name}\``,
  });
}

async function ownImage(
  image: Image,
  edge: ImageEdge,
  platforms: readonly string[],
  { onLine }: ContextOptions,
): Promise<ContextSource> {
  const name = edge.reference.slice(SCOPE.length);
  const base = await findImage(name, undefined, placeOf(image, edge));
  const record = await recordOfImage(base);
  const has = record.platforms.map(({ platform }) => platform);
  if (platforms.every((platform) => has.includes(platform))) {
    await ensureBytes(base, record);
    return { kind: "image", layout: storeFolder(), digest: record.digest };
  }
  const { baseFor } = await import("./base-platforms.ts");
  const digest = await baseFor(base, [...new Set([...has, ...platforms])], onLine);
  return { kind: "image", layout: storeFolder(), digest };
}

const placeOf = (image: Image, edge: { line: number }): string => `${dockerfileText(image).where}:${edge.line}`;
