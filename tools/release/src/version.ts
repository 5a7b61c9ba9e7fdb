// Carries a version plan out: package.json files and changelogs by changesets, then what names the new versions.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { type ValuesImage, editChartFile, editValues, valuesFile, valuesImages } from "@waybill/chart";
import { writeFileAtomic } from "@waybill/oci";
import { syncedLock } from "./lockfile.ts";
import { releasables } from "./packages.ts";
import { changeset } from "./pending.ts";
import { putRight } from "./upstream-versions.ts";
import { type ChartChange, type VersionPlan, chartTexts } from "./version-plan.ts";

/**
 * Everything is worked out before the first file is written; a run that is broken off leaves a work tree that git restores.
 * @throws {WaybillError} a chart can't be edited, or changesets fails
 */
export async function version(root: string, plan: VersionPlan): Promise<void> {
  if (plan.releases.length === 0) return;
  const edits = await Promise.all(plan.charts.map((chart) => editsOf(chart)));
  await changeset(root, ["version"]);
  // Of all: one that isn't released may name one that is.
  const folders = new Map(
    [...(await releasables(root)).values()].map((each) => [each.package, join(root, each.folder)]),
  );
  const others = plan.releases.flatMap(({ package: name, counted, to }) =>
    counted === undefined ? [] : [{ package: name, counted, to }],
  );
  await putRight(folders, others);
  for (const { file, text } of edits.flat()) await writeFileAtomic(file, text);
  const lock = await syncedLock(root);
  if (lock !== undefined) await writeFileAtomic(join(root, "package-lock.json"), lock);
}

async function editsOf({
  folder,
  version: of,
  appVersion,
  images,
}: ChartChange): Promise<{ file: string; text: string }[]> {
  const texts = await chartTexts(folder);
  const file = join(folder, "Chart.yaml");
  const versions = { version: of.to, ...(appVersion === undefined ? {} : { appVersion: appVersion.to }) };
  const chart = { file, text: editChartFile(texts.chart, versions, file) };
  if (images.length === 0 || !existsSync(valuesFile(folder))) return [chart];
  const named = new Map(valuesImages(texts.values, valuesFile(folder)).map((image) => [image.path, image]));
  const text = editValues(
    texts.values,
    images.map(({ path, to, digest }) => ({ image: named.get(path) as ValuesImage, to: { tag: to, digest } })),
  );
  return [chart, { file: valuesFile(folder), text }];
}
