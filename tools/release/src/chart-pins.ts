// Images of others that a chart names: pinned by digest in the chart's own image.lock.json and in its values, so that a new image
// behind an old tag is a change that a pull request shows.

import { readFile } from "node:fs/promises";
import { type Chart, type ValuesImage, editValues, valuesFile } from "@waybill/chart";
import { type Change, changesBetween, readLock, writeLock } from "@waybill/lock";
import { type Digest, WaybillError, parseReference, writeFileAtomic } from "@waybill/oci";
import { RegistryClient, type RegistryOptions } from "@waybill/oci/registry";

export interface PinOptions {
  /** Repositories of this repo's own images, whose versions releases move. */
  own: ReadonlySet<string>;
  /** Says what would move, and writes nothing. */
  dryRun?: boolean | undefined;
  client?: RegistryOptions | undefined;
}

/**
 * Asks each registry what its tag leads to now.
 * @returns what moved, by reference
 * @throws {WaybillError} an image can't be asked about, or its tag is gone; nothing was written
 */
export async function pinChartImages(chart: Chart, { own, dryRun, client }: PinOptions): Promise<Change[]> {
  const named = chart.images.filter(({ repository, tag }) => tag !== undefined && !own.has(repository));
  const digests = new Map<string, Digest>();
  for (const image of named) digests.set(referenceOf(image), await digestOf(chart, image, client));
  const before = await readLock(chart.folder);
  const after = { ...before, bases: Object.fromEntries(digests) };
  const changes = changesBetween(before, after);
  if (dryRun === true) return changes;
  const text = await readFile(valuesFile(chart.folder), "utf8");
  const edits = named.map((image) => ({
    image,
    to: { tag: image.tag as string, digest: digests.get(referenceOf(image)) },
  }));
  const edited = editValues(text, edits);
  if (edited !== text) await writeFileAtomic(valuesFile(chart.folder), edited);
  if (changes.length > 0) await writeLock(chart.folder, after);
  return changes;
}

const referenceOf = ({ repository, tag }: ValuesImage): string => `${repository}:${tag}`;

async function digestOf(chart: Chart, image: ValuesImage, options?: RegistryOptions): Promise<Digest> {
  const { registry, repository } = parseReference(image.repository);
  const found = await new RegistryClient(registry, options).headManifest(repository, image.tag as string);
  if (found !== undefined) return found.digest;
  throw new WaybillError(`the registry has no ${referenceOf(image)}`, {
    where: `${valuesFile(chart.folder)}:${image.line}`,
    mend: "name a tag that is there",
  });
}
