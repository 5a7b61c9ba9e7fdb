// The sentences that reports share.

import type { Finding } from "../finding.ts";
import { LEVELS } from "../severity.ts";

/** "CVE-2026-1 (GHSA-…)". */
export const describeNames = ({ id, aliases }: Finding): string =>
  aliases.length === 0 ? id : `${id} (${aliases.join(", ")})`;

/** "libc6 2.41-12 of glibc", "jq 1.7.1 (debug)". */
export const describePackage = ({ package: name, version, source, variants }: Finding): string => {
  const of = source === undefined || source === name ? "" : ` of ${source}`;
  return `${name} ${version}${of}${variants === undefined ? "" : ` (${variants.join(", ")})`}`;
};

export const describeFix = ({ fixed }: Finding): string => (fixed === undefined ? "no fix yet" : `fixed in ${fixed}`);

/** "high 7.5". */
export const describeSeverity = ({ severity, score }: Finding): string =>
  score === undefined ? severity : `${severity} ${score.toFixed(1)}`;

/** "3 vulnerabilities: 1 critical, 2 low; 2 with a fix". */
export function countFindings(findings: readonly Finding[]): string {
  if (findings.length === 0) return "no known vulnerability";
  const levels = [...LEVELS.toReversed(), "unknown"]
    .map((level) => ({ level, count: findings.filter(({ severity }) => severity === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => `${count} ${level}`);
  const fixable = findings.filter(({ fixed }) => fixed !== undefined).length;
  return `${plural(findings.length, "vulnerability", "vulnerabilities")}: ${levels.join(", ")}; ${fixable} with a fix`;
}

export const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

/** Names and versions come out of images and databases, which anyone may have written: nothing of them is read as Markdown. */
export function inCode(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, "?");
  const fence = "`".repeat(Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  return fence === "`" ? `\`${plain}\`` : `${fence} ${plain} ${fence}`;
}

/** The same for a sentence: what could be a tag, a link, a cell or a mention is shown as it is. */
export const inMarkdown = (text: string): string =>
  text.replaceAll(/[\p{Cc}]/gu, " ").replaceAll(/[\\`*_{}[\]<>|@#]/g, (character) => `\\${character}`);
