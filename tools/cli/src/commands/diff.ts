// waybill diff <from> [<to>]: what changed between two images, or between all images of two checkouts.

import { appendFile } from "node:fs/promises";
import { ensureBytes, readableImages, store, workspaceRoot } from "@waybill/image";
import { type Budgets, COMMENT_MARK, type ImageDiff, diffImages, formatMarkdown, formatText } from "@waybill/inventory";
import { WaybillError } from "@waybill/oci";
import { type Command } from "../command.ts";
import { type DiffSide, diffSide } from "../diff-side.ts";

export const command: Command = {
  summary: "what changed between two images: size, layers, packages, config, files",
  usage: "<from> [<to>]",
  options: { markdown: { type: "boolean" }, comment: { type: "boolean" } },
  async run(positionals, values) {
    const [from, to, ...more] = positionals;
    if (from === undefined || more.length > 0)
      throw new WaybillError("write one or two of: an image of this repo, a record, a reference, a checkout");
    const sides = [await diffSide(from), await diffSide(to ?? otherSide(from))] as const;
    const diffs = await diffsOf(...sides);
    const budgets = await budgetsOfRepo();
    if (values["json"] === true) console.log(JSON.stringify(diffs));
    else if (values["comment"] === true) await comment(formatMarkdown(diffs, budgets));
    else if (values["markdown"] === true) process.stdout.write(formatMarkdown(diffs, budgets));
    else console.log(formatText(diffs, budgets));
    return 0;
  },
};

/** On the pull request that CI runs for; in the run's summary where its token may not write, as of a fork's. */
async function comment(body: string): Promise<void> {
  const { gitHubOf, pullRequestOf, writeComment } = await import("@waybill/release");
  const github = gitHubOf(process.env);
  if (github === undefined) throw new WaybillError("--comment is for a step of GitHub Actions with GITHUB_TOKEN");
  const number = await pullRequestOf(process.env);
  const outcome = await writeComment(github, number, COMMENT_MARK, body);
  const summary = process.env["GITHUB_STEP_SUMMARY"];
  if (outcome === "refused" && summary !== undefined) await appendFile(summary, body);
  console.log(`comment on pull request ${number}: ${outcome}`);
}

/** A checkout is compared with this one, an image or a tag with what is built here. */
const otherSide = (from: string): string => (/[:@]/.test(from) ? nameIn(from) : workspaceRoot());

const nameIn = (reference: string): string => /([^/:@]+)(:[^/@]+)?(@.*)?$/.exec(reference)?.[1] ?? reference;

async function diffsOf(from: DiffSide, to: DiffSide): Promise<ImageDiff[]> {
  if (from.kind !== to.kind) throw new WaybillError("a checkout can only be compared with another checkout");
  const images = await readableImages();
  const [name] = to.records.keys();
  // Two images are compared whatever they are called.
  const pairs =
    from.kind === "image"
      ? [[name as string, [...from.records.values()][0], [...to.records.values()][0]] as const]
      : [...new Set([...from.records.keys(), ...to.records.keys()])]
          .sort()
          .map((each) => [each, from.records.get(each), to.records.get(each)] as const);
  const diffs: ImageDiff[] = [];
  for (const [each, before, after] of pairs) {
    const image = images.get(each);
    if (image !== undefined && after !== undefined && before?.digest !== after.digest) await ensureBytes(image, after);
    diffs.push(await diffImages(store(), each, before, after));
  }
  return diffs;
}

async function budgetsOfRepo(): Promise<Budgets> {
  return Object.fromEntries([...(await readableImages())].map(([name, { metadata }]) => [name, metadata.budget]));
}
