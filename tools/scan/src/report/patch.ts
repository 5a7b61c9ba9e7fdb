// What a patch did, for a terminal and as Markdown.

import { formatBytes, formatDelta, formatTable, shortDigest } from "@waybill/format";
import { escapeControls } from "@waybill/oci/error";
import type { Finding } from "../finding.ts";
import type { Move } from "../patch/plan.ts";
import type { PatchReport } from "../patch/report.ts";
import { tableOf } from "./markdown.ts";
import { describeFix, describePackage, describeSeverity, inCode, inMarkdown, plural } from "./words.ts";

/** @returns lines, without one at the end */
export const formatPatches = (reports: readonly PatchReport[]): string => reports.map(formatPatch).join("\n\n");

function formatPatch(report: PatchReport): string {
  const { moves, fixed, added, remaining, sizes } = report;
  const rows = moves.map((move) => [`  ${move.image}`, move.name, move.from, move.to, escapeControls(whyOf(move))]);
  return [
    `${report.name}  ${outcomeOf(report)}`,
    ...(rows.length > 0 ? [formatTable(["  lock of", "package", "from", "to", "mends"], rows)] : []),
    ...listed("fixed", fixed),
    ...listed("newly found", added),
    ...listed("remaining", remaining),
    ...(report.from === report.to ? [] : sizes.map((size) => `  ${sizeOf(size)}`)),
  ].join("\n");
}

/** A long list is one for `waybill scan`. */
const SHOWN = 15;

function listed(title: string, findings: readonly Finding[]): string[] {
  if (findings.length === 0) return [];
  const lines = findings
    .slice(0, SHOWN)
    .map((each) => `    ${each.id}  ${describeSeverity(each)}  ${describePackage(each)}  ${describeFix(each)}`);
  const more = findings.length > SHOWN ? [`    and ${findings.length - SHOWN} more`] : [];
  return [`  ${title}:`, ...lines.map(escapeControls), ...more];
}

const whyOf = ({ mends }: Move): string => (mends.length === 0 ? "Debian's security archive has it" : mends.join(", "));

/** "patched, fbd26b211382 -> 0a1b2c3d4e5f; pushed ghcr.io/acme/images/api:1.4.2-cve.1". */
export function outcomeOf({ from, to, moves, push, dryRun, remaining }: PatchReport): string {
  if (dryRun)
    return moves.length === 0 ? nothing(remaining) : `would move ${plural(moves.length, "package", "packages")}`;
  if (from === to) return nothing(remaining);
  const where = push === undefined ? undefined : `${push.registry}/${push.repository}:${push.tags[0]}`;
  const pushed =
    push === undefined ? "not pushed" : push.action === "push" ? `pushed ${where}` : `${where} mends the same`;
  return `patched, ${shortDigest(from)} -> ${shortDigest(to)}; ${pushed}`;
}

const nothing = (remaining: readonly Finding[]): string =>
  remaining.length === 0
    ? "nothing to mend"
    : `nothing that can be mended; ${plural(remaining.length, "vulnerability", "vulnerabilities")} remain`;

const sizeOf = ({ platform, from, to }: PatchReport["sizes"][number]): string =>
  `${platform}: ${formatBytes(from)} -> ${formatBytes(to)} (${formatDelta(to - from)})`;

/** @returns text that ends in a line break */
export const markdownOfPatches = (reports: readonly PatchReport[]): string => `${reports.map(section).join("\n\n")}\n`;

function section(report: PatchReport): string {
  const { name, moves, fixed, added, remaining, sizes, from, to } = report;
  const rows = moves.map(
    (move) =>
      `| ${inMarkdown(move.image)} | ${inCode(move.name)} | ${inCode(move.from)} | ${inCode(move.to)} | ${inMarkdown(whyOf(move))} |`,
  );
  return [
    `### ${inMarkdown(name)}`,
    "",
    `${inMarkdown(outcomeOf(report).replaceAll("->", "→"))}.`,
    ...(rows.length > 0
      ? ["", "| lock of | package | from | to | mends |", "| --- | --- | --- | --- | --- |", ...rows]
      : []),
    ...(from === to ? [] : ["", ...sizes.map((size) => `- ${sizeOf(size).replaceAll("->", "→")}`)]),
    ...findingsUnder("Fixed", fixed),
    ...findingsUnder("Newly found", added),
    ...findingsUnder("Remaining", remaining),
  ].join("\n");
}

const findingsUnder = (title: string, findings: readonly Finding[]): string[] =>
  findings.length === 0 ? [] : ["", `**${title}**`, "", ...tableOf(findings)];
