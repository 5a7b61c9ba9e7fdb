// What changed, for a pull request: one table of all images, then what is in each, folded.

import { formatDelta } from "@waybill/format";
import type { ImageDiff, PlatformDiff } from "../diff/diff.ts";
import {
  type Budgets,
  budgetUsed,
  countChanges,
  describeConfig,
  describeFile,
  describePackage,
  describeStep,
  digestsOf,
  sizesOf,
} from "./words.ts";

/** By which a bot finds its own comment, to write it anew and not a second one. */
export const COMMENT_MARK = "<!-- waybill diff -->";

/** GitHub refuses comments of more than 65,536 characters. */
const SHOWN = 40;

/** @returns text that ends in a line break */
export function formatMarkdown(diffs: readonly ImageDiff[], budgets: Budgets = {}): string {
  const changed = diffs.filter(({ from, to }) => from !== to);
  const same = diffs.length - changed.length;
  const lines = [COMMENT_MARK, ""];
  if (changed.length === 0) return [...lines, "No image changes.", ""].join("\n");
  lines.push(
    "| image | digest | compressed | unpacked | budget | packages |",
    "| --- | --- | --- | --- | ---: | --- |",
    ...changed.flatMap((diff) => diff.platforms.map((platform) => rowOf(diff, platform, budgets[diff.name]))),
    "",
    `${changed.length} image${changed.length === 1 ? "" : "s"} changed, ${same} unchanged.`,
    "",
    ...changed.flatMap((diff) => diff.platforms.flatMap((platform) => detailsOf(diff, platform))),
  );
  return lines.join("\n");
}

function rowOf(diff: ImageDiff, platform: PlatformDiff, budget: Budgets[string]): string {
  const name = diff.platforms.length > 1 ? `${diff.name} ${platform.platform}` : diff.name;
  const cells = [
    code(name),
    digestsOf(diff),
    sizesOf(platform, "size"),
    sizesOf(platform, "unpackedSize"),
    budgetUsed(platform, budget),
    countChanges(platform.packages),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("->", "→").replaceAll("|", "\\|")).join(" | ")} |`;
}

function detailsOf(diff: ImageDiff, platform: PlatformDiff): string[] {
  const body = [
    ...list("Layers", platform.layers, ({ createdBy, from, to }) => {
      const delta = formatDelta((to?.unpackedSize ?? 0) - (from?.unpackedSize ?? 0));
      return `${delta} ${code(describeStep(createdBy))}`;
    }),
    ...list(
      "Packages",
      platform.packages,
      (each) => `${each.type} ${code(describePackage(each))}${each.size ? `, ${formatDelta(each.size)}` : ""}`,
    ),
    ...list("Config", platform.config, (each) => code(describeConfig(each))),
    ...list("Files", platform.files, (each) => `${formatDelta(each.size)} ${code(describeFile(each))}`),
  ];
  if (body.length === 0) return [];
  const title = `${diff.name}, ${platform.platform}`;
  return ["<details>", `<summary>${title}</summary>`, "", ...body, "</details>", ""];
}

function list<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length > SHOWN ? [`- and ${items.length - SHOWN} more`] : [];
  return [`**${title}**`, "", ...items.slice(0, SHOWN).map((item) => `- ${line(item)}`), ...more, ""];
}

/** Paths and versions come out of images, which anyone may have made: nothing of them is read as Markdown. */
function code(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, "?");
  const fence = "`".repeat(Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return fence === "`" ? `\`${plain}\`` : `${fence} ${plain} ${fence}`;
}
