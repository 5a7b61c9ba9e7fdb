// What changed, for a terminal.

import { escapeControls } from "@waybill/oci/error";
import { formatBytes, formatDelta, shortDigest } from "@waybill/format";
import type { ImageDiff, PlatformDiff } from "../diff/diff.ts";
import type { LayerChange } from "../diff/layers.ts";
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

/** Of a long list these are shown; `--json` has all. */
const SHOWN = 15;

/** @returns lines, without one at the end; images that are the same are counted in the last */
export function formatText(diffs: readonly ImageDiff[], budgets: Budgets = {}): string {
  const changed = diffs.filter(({ from, to }) => from !== to);
  const same = diffs.length - changed.length;
  const blocks = changed.map((diff) => formatImage(diff, budgets[diff.name]).join("\n"));
  if (same > 0 || diffs.length === 0) blocks.push(`${same} image${same === 1 ? "" : "s"} unchanged`);
  return blocks.join("\n\n");
}

function formatImage(diff: ImageDiff, budget: Budgets[string]): string[] {
  return [
    `${diff.name}  ${digestsOf(diff)}`,
    ...diff.platforms.flatMap((platform) => [`  ${platform.platform}`, ...formatPlatform(platform, budget)]),
  ];
}

function formatPlatform(diff: PlatformDiff, budget: Budgets[string]): string[] {
  const used = budgetUsed(diff, budget);
  return [
    `    compressed  ${sizesOf(diff, "size")}${used === "" ? "" : `, budget used ${used}`}`,
    `    unpacked    ${sizesOf(diff, "unpackedSize")}`,
    ...section("layers", "", diff.layers.map(formatLayer)),
    ...section(
      "packages",
      countChanges(diff.packages),
      diff.packages.map((each) => `${sizeColumn(each.size)}  ${each.type.padEnd(6)}  ${describePackage(each)}`),
    ),
    ...section("config", "", diff.config.map(describeConfig)),
    ...section(
      "files",
      countChanges(diff.files),
      diff.files.map((each) => `${sizeColumn(each.size)}  ${describeFile(each)}`),
    ),
  ];
}

function section(title: string, summary: string, lines: string[]): string[] {
  if (lines.length === 0) return [];
  const more = lines.length > SHOWN ? [`      and ${lines.length - SHOWN} more`] : [];
  const head = `    ${title}${summary === "" ? "" : `: ${summary}`}`;
  // Paths and versions come out of images, which anyone may have made.
  return [head, ...lines.slice(0, SHOWN).map((line) => `      ${escapeControls(line)}`), ...more];
}

function formatLayer({ createdBy, from, to }: LayerChange): string {
  const delta = (to?.unpackedSize ?? 0) - (from?.unpackedSize ?? 0);
  const what = from === undefined ? "new" : to === undefined ? "gone" : shortDigest(to.digest);
  return `${sizeColumn(delta)}  ${what.padEnd(12)}  ${describeStep(createdBy)}`;
}

/** Unpacked. */
const sizeColumn = (bytes: number | undefined): string =>
  (bytes === undefined ? "" : bytes === 0 ? formatBytes(0) : formatDelta(bytes)).padStart(9);
