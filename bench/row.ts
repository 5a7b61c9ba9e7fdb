// A line of the result: two things measured in the same run, their ratio, and the mark it has to reach.

import { formatTable } from "@waybill/format";

export interface Row {
  bench: string;
  /** What is compared, over which images. */
  what: string;
  /** Seconds of ours and of what it is held against; null where it was not measured. */
  ours: number | null;
  theirs: number | null;
  ratio: number | null;
  mark: string;
  /** "info": no mark of the issue; "skipped": can't be measured here, and `what` says why. */
  result: "pass" | "FAIL" | "info" | "skipped";
}

type Pair = Pick<Row, "bench" | "what"> & { ours: number; theirs: number };

/** How many times faster ours is. @param mark at least; null: for information */
export function faster(pair: Pair, mark: number | null): Row {
  const ratio = pair.theirs / pair.ours;
  if (mark === null) return { ...pair, ratio, mark: "-", result: "info" };
  return { ...pair, ratio, mark: `>= ${mark} x faster`, result: ratio >= mark ? "pass" : "FAIL" };
}

/** How many times as long ours takes. @param mark at most, or `slack` seconds more; null: for information */
export function notSlower(pair: Pair, mark: number | null, slack?: number): Row {
  const ratio = pair.ours / pair.theirs;
  if (mark === null) return { ...pair, ratio, mark: "-", result: "info" };
  const within = ratio <= mark || (slack !== undefined && pair.ours - pair.theirs <= slack);
  const or = slack === undefined ? "" : ` or +${slack} s`;
  return { ...pair, ratio, mark: `<= ${mark} x${or}`, result: within ? "pass" : "FAIL" };
}

/** Not more than a number of seconds. */
export const within = (of: Pick<Row, "bench" | "what"> & { ours: number }, limit: number): Row => ({
  ...of,
  theirs: null,
  ratio: null,
  mark: `<= ${limit} s`,
  result: of.ours <= limit ? "pass" : "FAIL",
});

/** A figure that isn't held against another one. @param mark at most, in `unit` */
export function figureOf(figure: Pick<Row, "bench" | "what"> & { value: number; mark: number; unit: string }): Row {
  const { bench, what, value, mark, unit } = figure;
  const shown = `${what}: ${value.toFixed(value < 10 ? 2 : 0)} ${unit}`;
  const result = value <= mark ? "pass" : "FAIL";
  return { bench, what: shown, ours: null, theirs: null, ratio: value / mark, mark: `<= ${mark} ${unit}`, result };
}

export const skipped = (bench: string, what: string, mark: string): Row => ({
  bench,
  what,
  ours: null,
  theirs: null,
  ratio: null,
  mark,
  result: "skipped",
});

export function formatRows(rows: readonly Row[]): string {
  const cells = rows.map(({ bench, what, ours, theirs, ratio, mark, result }) => [
    bench,
    what,
    seconds(ours),
    seconds(theirs),
    ratio === null ? "-" : ratio.toFixed(2),
    mark,
    result,
  ]);
  return formatTable(["bench", "ours against theirs", "ours", "theirs", "ratio", "mark", "result"], cells, [2, 3, 4]);
}

/** Short times need more digits to say anything. */
const seconds = (value: number | null): string => (value === null ? "-" : `${value.toFixed(value < 0.1 ? 4 : 2)} s`);
