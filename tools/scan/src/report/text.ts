// A scan for a terminal.

import { formatTable, shortDigest } from "@waybill/format";
import { escapeControls } from "@waybill/oci/error";
import type { ImageScan } from "../scan.ts";
import { countFindings, describeFix, describePackage, describeSeverity, plural } from "./words.ts";

/** @returns lines, without one at the end */
export const formatScans = (scans: readonly ImageScan[]): string => scans.map(formatScan).join("\n\n");

function formatScan({ name, digest, packages, unknown, findings, ignored, problems }: ImageScan): string {
  const rows = findings.map((finding) => [
    `  ${describeSeverity(finding)}`,
    finding.type,
    escapeControls(describePackage(finding)),
    escapeControls(finding.id),
    escapeControls(describeFix(finding)),
    escapeControls(finding.summary).slice(0, 60),
  ]);
  const asked = `${plural(packages, "package", "packages")}${unknown > 0 ? `, ${unknown} that no advisory names` : ""}`;
  return [
    `${name}  ${shortDigest(digest)}  ${asked}`,
    ...(rows.length > 0 ? [formatTable(["  severity", "type", "package", "id", "fix", ""], rows)] : []),
    `  ${countFindings(findings)}${ignored.length > 0 ? `; ${ignored.length} ignored` : ""}`,
    ...problems.map((problem) => `  ${escapeControls(problem)}`),
  ].join("\n");
}
