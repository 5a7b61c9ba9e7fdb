// How bad an advisory is: CVSS 3's base score (CVSS 3.1 specification, 7.1), else the database's own word. CVSS 4 has no formula but a
// table of experts' scores; databases that carry it give their own word beside it.

import type { Advisory, Affected } from "./osv/advisory.ts";

/** From the least to the worst; "unknown" may be anything, and so is never hidden. */
export const LEVELS = ["negligible", "low", "medium", "high", "critical"] as const;
export type Level = (typeof LEVELS)[number] | "unknown";

export interface Severity {
  level: Level;
  /** CVSS 3 base score, 0 to 10. */
  score?: number;
}

/** @param entries those of `affected` that are about the package: what they say goes before the advisory's own */
export function severityOf(advisory: Advisory, entries: readonly Affected[]): Severity {
  // Debian's tracker: "unimportant" is what has no effect on its package at all.
  const urgencies = entries.map(({ ecosystem_specific: own }) => own?.urgency);
  if (urgencies.length > 0 && urgencies.every((urgency) => urgency === "unimportant")) return { level: "negligible" };
  const written = [...entries.flatMap(({ severity }) => severity ?? []), ...(advisory.severity ?? [])];
  for (const { score } of written) {
    const base = cvss3(score);
    if (base !== undefined) return { level: levelOf(base), score: base };
  }
  const word = advisory.database_specific?.severity ?? urgencies.find((urgency) => urgency !== undefined);
  return { level: levelNamed(word) };
}

/** The worse of two; something known is worth more than nothing. */
export function worse(a: Severity, b: Severity): Severity {
  const rank = ({ level }: Severity): number => LEVELS.indexOf(level as (typeof LEVELS)[number]);
  return rank(b) > rank(a) || (rank(b) === rank(a) && (b.score ?? 0) > (a.score ?? 0)) ? b : a;
}

/** Whether it is to be told of when only `least` and worse are asked for. */
export const isAtLeast = (level: Level, least: Level): boolean =>
  level === "unknown" || least === "unknown" || LEVELS.indexOf(level) >= LEVELS.indexOf(least);

function levelNamed(word: string | undefined): Level {
  const plain = word?.toLowerCase();
  if (plain === "moderate") return "medium";
  return LEVELS.find((level) => level === plain) ?? "unknown";
}

/** CVSS 3.1, table 14. */
function levelOf(score: number): Level {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}

const WEIGHTS: Record<string, Record<string, number>> = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
/** Privileges weigh less where the scope doesn't change. */
const PRIVILEGES: Record<string, [unchanged: number, changed: number]> = {
  N: [0.85, 0.85],
  L: [0.62, 0.68],
  H: [0.27, 0.5],
};

/** The base score of a vector such as "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"; undefined for any other text. */
export function cvss3(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined;
  const metrics = new Map(
    vector
      .split("/")
      .slice(1)
      .map((part) => part.split(":") as [string, string]),
  );
  const weight = (metric: string): number => WEIGHTS[metric]?.[metrics.get(metric) ?? ""] ?? Number.NaN;
  const changed = metrics.get("S") === "C";
  const privileges = PRIVILEGES[metrics.get("PR") ?? ""]?.[changed ? 1 : 0] ?? Number.NaN;
  const base = 1 - (1 - weight("C")) * (1 - weight("I")) * (1 - weight("A"));
  const impact = changed ? 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 : 6.42 * base;
  const exploitability = 8.22 * weight("AV") * weight("AC") * privileges * weight("UI");
  if (Number.isNaN(impact + exploitability)) return undefined;
  if (impact <= 0) return 0;
  return roundUp(Math.min((changed ? 1.08 : 1) * (impact + exploitability), 10));
}

/** To one decimal, upwards, as appendix A has it so that every machine rounds the same. */
function roundUp(score: number): number {
  const whole = Math.round(score * 100_000);
  return whole % 10_000 === 0 ? whole / 100_000 : (Math.floor(whole / 10_000) + 1) / 10;
}
