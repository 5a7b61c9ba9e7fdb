// A scan for a pull request, an issue or a run's summary.

import { shortDigest } from "@waybill/format";
import type { Finding } from "../finding.ts";
import type { ImageScan } from "../scan.ts";
import {
  countFindings,
  describeFix,
  describeNames,
  describePackage,
  describeSeverity,
  inCode,
  inMarkdown,
} from "./words.ts";

/** GitHub refuses more than 65,536 characters; `--json` has all. */
const SHOWN = 50;

/** @returns text that ends in a line break */
export const markdownOfScans = (scans: readonly ImageScan[]): string => `${scans.map(section).join("\n\n")}\n`;

function section({ name, digest, findings, ignored, problems }: ImageScan): string {
  const head = [`### ${inMarkdown(name)} ${inCode(shortDigest(digest))}`, "", `${countFindings(findings)}.`];
  const hidden = ignored.map(
    ({ reason, until, ...finding }) =>
      `- ${inCode(finding.id)} of ${inCode(finding.package)} until ${until}: ${inMarkdown(reason)}`,
  );
  return [
    ...head,
    ...(findings.length > 0 ? ["", ...tableOf(findings)] : []),
    ...(hidden.length > 0 ? ["", "Ignored:", "", ...hidden] : []),
    ...(problems.length > 0 ? ["", ...problems.map((problem) => `- **${inMarkdown(problem)}**`)] : []),
  ].join("\n");
}

/** One line a vulnerability. */
export function tableOf(findings: readonly Finding[]): string[] {
  const rows = findings
    .slice(0, SHOWN)
    .map((each) => [
      describeSeverity(each),
      describePackage(each),
      describeNames(each),
      describeFix(each),
      each.summary,
    ])
    .map(([severity = "", what = "", id = "", fix = "", summary = ""]) =>
      [severity, cell(what), cell(id), cell(fix), inMarkdown(summary)].join(" | "),
    );
  const more = findings.length > SHOWN ? ["", `and ${findings.length - SHOWN} more`] : [];
  return [
    "| severity | package | id | fix | |",
    "| --- | --- | --- | --- | --- |",
    ...rows.map((row) => `| ${row} |`),
    ...more,
  ];
}

const cell = (text: string): string => inCode(text).replaceAll("|", "\\|");
