// nx update: moves an image to newer upstream things, or a chart to what others' tags lead to now; shows what changed, and leaves a
// changeset. Nothing is written unless all of it can be had.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { type Chart, findCharts } from "@waybill/chart";
import { findImage, findImages, readableImages, workspaceRoot } from "@waybill/image";
import { readImage } from "@waybill/image/image";
import { type Change, LOCK_FILE, type Refreshed, formatChanges, packageBytes, readDocument } from "@waybill/lock";
import { WaybillError, isExpected, writeFileAtomic } from "@waybill/oci";
import { ownRepositories, pinChartImages } from "@waybill/release";
import { z } from "zod";
import { writeChangeset } from "../changeset.ts";
import { type Command, type Values, only, text } from "../command.ts";
import { formatBytes } from "@waybill/format";
import { moveGoModule } from "../go-modules.ts";
import { withVersion } from "../new-version.ts";
import { settings } from "../settings.ts";
import { pin } from "../pin.ts";
import { stopSignal } from "../stop.ts";

export const command: Command = {
  summary: "moves an image or a chart to newer upstream things and leaves a changeset",
  usage: "<image>|<chart> | --all",
  options: { to: { type: "string" }, all: { type: "boolean" }, "dry-run": { type: "boolean" } },
  async run(positionals, values) {
    if (values["all"] === true) return await updateAll(positionals, values);
    const name = only(positionals, "image");
    const chart = findCharts(workspaceRoot()).find((each) => each.name === name);
    await (chart === undefined || (await readableImages()).has(name)
      ? update(name, values)
      : updateChart(chart, values));
    return 0;
  },
};

/** The images of others that it names, by the digests that their tags have now. */
async function updateChart(chart: Chart, values: Values): Promise<void> {
  const own = new Set((await ownRepositories(workspaceRoot(), (await settings()).registry)).keys());
  const dryRun = values["dry-run"] === true;
  const changes = await pinChartImages(chart, { own, dryRun });
  const changeset = dryRun || changes.length === 0 ? undefined : await note(chart.folder, chart.name, changes);
  if (values["json"] === true) console.log(JSON.stringify({ chart: chart.name, changes, changeset }));
  else if (changes.length === 0) console.log(`${chart.name}: up to date`);
  else
    console.log(
      `${chart.name}:\n${formatChanges(changes)}${changeset === undefined ? "" : `\n\n${changeset} says so`}`,
    );
}

async function update(name: string, values: Values): Promise<void> {
  const image = await findImage(name);
  const dryRun = values["dry-run"] === true;
  const to = text(values, "to");
  const onProgress = (line: string): void => console.error(line);
  const module = await moveGoModule(image, { to, onProgress, signal: stopSignal() });
  const refreshed = await refresh(image.folder, module === undefined ? to : undefined, dryRun);
  const changes = [...(module?.changes ?? []), ...refreshed.changes];
  const write = !dryRun && changes.length > 0;
  if (write)
    for (const [file, content] of module?.files ?? []) await writeFileAtomic(join(image.folder, file), content);
  const changeset = write ? await note(image.folder, image.name, changes) : undefined;
  if (values["json"] === true) console.log(JSON.stringify({ image: image.name, changes, changeset }));
  else show(image.name, { ...refreshed, changes }, changeset);
}

/** Every image that pins anything, and every chart. One whose upstream can't be had doesn't keep the others back; it is told at the end. */
async function updateAll(positionals: string[], values: Values): Promise<0> {
  if (positionals.length > 0 || values["to"] !== undefined)
    throw new WaybillError("--all takes no image and no --to", { mend: "npx waybill update <image> --to VERSION" });
  const failed: string[] = [];
  const images = [...(await findImages())].filter(
    ([, { folder, metadata }]) => metadata.upstream !== undefined || existsSync(join(folder, LOCK_FILE)),
  );
  const all: [string, () => Promise<void>][] = [
    ...images.map(([name]): [string, () => Promise<void>] => [name, () => update(name, values)]),
    ...findCharts(workspaceRoot()).map((chart): [string, () => Promise<void>] => [
      chart.name,
      () => updateChart(chart, values),
    ]),
  ];
  for (const [name, step] of all) {
    try {
      await step();
    } catch (error) {
      if (!isExpected(error)) throw error;
      console.error(`waybill: ${error.message}`);
      failed.push(name);
    }
  }
  if (failed.length === 0) return 0;
  throw new WaybillError(`${failed.join(", ")} could not be updated`, { mend: "see above; the others are" });
}

/** project.json says the version and is read by all that follows: it goes back to what it was when something fails. */
async function refresh(folder: string, to: string | undefined, dryRun: boolean): Promise<Refreshed> {
  const file = join(folder, "project.json");
  const before = await readFile(file, "utf8");
  const where = relative(process.cwd(), file);
  const after = await withVersion(readImage(folder), before, to, where);
  const signal = stopSignal();
  let keep = false;
  try {
    if (after !== before) await writeFileAtomic(file, after);
    const onProgress = (line: string): void => console.error(line);
    const refreshed = await pin(readImage(folder), { platforms: [], dryRun, onProgress, signal });
    keep = !dryRun;
    return refreshed;
  } finally {
    if (!keep && after !== before) await writeFileAtomic(file, before);
  }
}

const packageFile = z.looseObject({ name: z.string() });

async function note(folder: string, image: string, changes: readonly Change[]): Promise<string> {
  const { name } = await readDocument(join(folder, "package.json"), packageFile);
  return writeChangeset(workspaceRoot(), name, image, changes);
}

function show(name: string, { before, after, changes }: Refreshed, changeset: string | undefined): void {
  if (changes.length === 0) return console.log(`${name}: up to date`);
  console.log(`${name}:\n${formatChanges(changes)}`);
  const [from, to] = [packageBytes(before), packageBytes(after)];
  if (from !== to) console.log(`\nDebian packages to fetch: ${formatBytes(from)} -> ${formatBytes(to)}`);
  if (changeset !== undefined)
    console.log(`\n${changeset} says so to the release; build and test: ./nx run ${name}:test`);
}
