// What a rule has to say, in one shape for all rules.

export type Severity = "error" | "warning" | "info";

export interface Finding {
  /** `DL…` and `SC…` are hadolint's, the others are Waybill's own. */
  rule: string;
  /** A file of the repo, relative to the current folder; for a file of the image its path there, with a leading slash. */
  file: string;
  /** From 1. */
  line?: number;
  message: string;
  /** What the reader does next. */
  mend: string;
  severity: Severity;
}

/** "images/api/Dockerfile:3: message: mend (rule)" */
export function formatFinding({ file, line, message, mend, rule }: Finding): string {
  const advice = mend === "" ? "" : `: ${mend}`;
  return `${line === undefined ? file : `${file}:${line}`}: ${message}${advice} (${rule})`;
}

const ORDER: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/** Errors first, then by place. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  return findings.toSorted(
    (one, other) =>
      ORDER[one.severity] - ORDER[other.severity] ||
      compare(one.file, other.file) ||
      (one.line ?? 0) - (other.line ?? 0) ||
      compare(one.rule, other.rule),
  );
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
