// Ships a patched image as `<version>-<suffix>.N`: its manifests by digest, under an index that says what the patch mends. By that a
// later run knows whether it mends anything more; where it doesn't, nothing is pushed.

import { type BlobStore, type ImageRecord, WaybillError, canonicalJson } from "@waybill/oci";
import { type RegistryClient, carryOut, planPush } from "@waybill/oci/registry";
import { type ReleaseIndex, releaseIndex } from "@waybill/release";
import { type ImagePatch, isPatched } from "./patch.ts";

/** Annotation of the index: the fixed set, a JSON list. */
export const FIXED = "dev.waybill.patch.fixed";

export interface PushTarget {
  client: RegistryClient;
  store: BlobStore;
  repository: string;
  /** The image's own version: "1.4.2". */
  version: string;
  suffix: string;
  /** For annotations: the commit that was patched, its date, the repository's page. */
  revision: string;
  created: string;
  source: string | undefined;
}

export interface PatchPush {
  registry: string;
  repository: string;
  /** "push": this tag is new. "keep": it has this fixed set already. "none": nothing was mended. */
  action: "push" | "keep" | "none";
  /** With those of variants; empty where there is none. */
  tags: string[];
  fixed: string[];
}

/** What a patch mends, sorted: vulnerabilities by name, and packages by the version that they moved to. */
export const fixedSet = ({ fixed, moves }: Pick<ImagePatch, "fixed" | "moves">): string[] =>
  [...new Set([...fixed.map(({ id }) => id), ...moves.map(({ name, to }) => `${name}@${to}`)])].sort();

/**
 * What pushing would do. Changes nothing.
 * @throws {WaybillError} the registry can't be asked
 */
export async function planPatchPush(patch: ImagePatch, record: ImageRecord, target: PushTarget): Promise<PatchPush> {
  const { client, repository, version, suffix } = target;
  const fixed = fixedSet(patch);
  const plan = { registry: client.registry, repository, fixed };
  if (!isPatched(patch) || fixed.length === 0) return { ...plan, action: "none", tags: [] };
  const start = `${version.replaceAll("+", "_")}-${suffix}.`;
  const numbers = (await client.listTags(repository)).flatMap((tag) => numberOf(tag, start));
  const last = Math.max(0, ...numbers);
  const variants = (tag: string): string[] => [tag, ...Object.keys(record.variants).map((name) => `${tag}-${name}`)];
  if (last > 0 && (await hasFixed(client, repository, `${start}${last}`, fixed)))
    return { ...plan, action: "keep", tags: variants(`${start}${last}`) };
  return { ...plan, action: "push", tags: variants(`${start}${last + 1}`) };
}

/** A tag of a variant counts too: its run may have been broken off before the image's own. */
function numberOf(tag: string, start: string): number[] {
  const number = tag.startsWith(start) ? /^(\d+)(?:-.*)?$/.exec(tag.slice(start.length))?.[1] : undefined;
  return number === undefined ? [] : [Number(number)];
}

async function hasFixed(
  client: RegistryClient,
  repository: string,
  tag: string,
  fixed: readonly string[],
): Promise<boolean> {
  const found = await client.getManifest(repository, tag);
  if (found === undefined) return false;
  const { annotations } = JSON.parse(found.bytes.toString()) as { annotations?: Record<string, string> };
  return annotations?.[FIXED] === canonicalJson([...fixed]);
}

/**
 * Sends what the registry lacks, then places the tags: those of variants first, the image's own last.
 * @throws {WaybillError} the registry refuses, or another run has taken the tag meanwhile
 */
export async function pushPatch(plan: PatchPush, record: ImageRecord, target: PushTarget): Promise<void> {
  if (plan.action !== "push") return;
  const { client, store, repository, revision, created, source } = target;
  const more = { [FIXED]: canonicalJson([...plan.fixed]) };
  const images = [
    record,
    ...Object.values(record.variants).map((variant) => ({ ...record, ...variant, variants: {} })),
  ];
  const indexes: ReleaseIndex[] = [];
  for (const [at, image] of images.entries()) {
    await carryOut(client, store, await planPush(client, store, image.digest, repository, []), {});
    const version = plan.tags[at] as string;
    indexes.push(await releaseIndex(store, image, { version, revision, created, source, more }));
  }
  for (const [at, tag] of [...plan.tags.entries()].toReversed()) {
    // Asked right before: the protocol has no compare-and-swap.
    if ((await client.headManifest(repository, tag)) !== undefined) throw taken(client, repository, tag);
    const { mediaType, bytes } = indexes[at] as ReleaseIndex;
    await client.putManifest(repository, tag, mediaType, bytes);
  }
}

const taken = ({ registry }: RegistryClient, repository: string, tag: string): WaybillError =>
  new WaybillError(`another run has made ${tag} meanwhile`, {
    where: `${registry}/${repository}`,
    mend: "patch again: it takes the next number, or finds that there is nothing more to mend",
  });
