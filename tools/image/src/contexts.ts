// What each name that a Dockerfile builds from stands for: an image of this repo by the digest of its record, a folder that images
// share, a folder of pinned upstream files, or an image from elsewhere, pinned by digest.

import type { Dockerfile } from "@waybill/dockerfile";
import type { ContextSource } from "@waybill/engine/engine";
import { storeFolder } from "@waybill/engine/home";
import { readLock } from "@waybill/lock/lock-file";
import { parseSetContext } from "@waybill/lock/set-context";
import { type Digest, WaybillError } from "@waybill/oci";
import { assertNoCycle } from "./cycle.ts";
import { type ImageEdge, imageEdges } from "./edges.ts";
import { type Image, SCOPE, dockerfileText, findImage, readableImages } from "./image.ts";
import { ensureBytes, recordOfImage, store } from "./bytes.ts";
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
  const { buildArgs, platform, target } = options;
  const edges = imageEdges(image, dockerfile, { buildArgs, platform, ...(target !== undefined && { target }) });
  if (edges.some(({ reference }) => reference.startsWith(SCOPE))) assertNoCycle(image, await readableImages());
  const contexts: Record<string, ContextSource> = {};
  for (const edge of edges.filter((each) => each.reachable)) {
    contexts[edge.name] ??= await resolve(image, edge, options);
  }
  return contexts;
}

async function resolve(image: Image, edge: ImageEdge, options: ContextOptions): Promise<ContextSource> {
  if (edge.reference.startsWith(SCOPE)) return ownImage(image, edge);
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
    const digest = await fetchExternal(store(), edge.reference, pinned, options.platform);
    return { kind: "image", layout: storeFolder(), digest };
  }
  const instead = image.metadata.source === undefined ? `write ${SCOPE}<name>` : "let source.bases map it to an image";
  throw new WaybillError(`${edge.reference} is neither an image of this repo nor pinned`, {
    where: placeOf(image, edge),
    mend: `${instead}, or pin it with \`npx waybill lock ${image.name}\``,
  });
}

async function ownImage(image: Image, edge: ImageEdge): Promise<ContextSource> {
  const name = edge.reference.slice(SCOPE.length);
  const base = await findImage(name, undefined, placeOf(image, edge));
  const record = await recordOfImage(base);
  await ensureBytes(base, record);
  return { kind: "image", layout: storeFolder(), digest: record.digest };
}

const placeOf = (image: Image, edge: { line: number }): string => `${dockerfileText(image).where}:${edge.line}`;
