// The table at the end of a run.

import { formatBytes, formatPercent, formatTable, shortDigest } from "@waybill/format";
import type { ImageRecord, PlatformRecord } from "@waybill/oci";

export interface Row {
  name: string;
  record?: ImageRecord;
  /** Bytes for each platform. */
  budget?: { compressed?: number | undefined; unpacked?: number | undefined };
  /** Built now; its record from this machine's cache or a remote one; or its bytes made again for such a record. */
  source: "built" | "local" | "remote" | "rebuilt" | "failure" | "skipped";
  ms: number;
  problem?: string;
}

const HEADER = ["image", "digest", "compressed", "unpacked", "budget", "from", "seconds"];
const RIGHT = [2, 3, 4, 6];

/** All images of the run, a line a platform, then one line that sums up. */
export function formatRun(rows: Row[]): string {
  const sorted = rows.toSorted((a, b) => a.name.localeCompare(b.name));
  const table = formatTable(HEADER, sorted.flatMap(cellsOf), RIGHT).replaceAll(/^/gm, "  ");
  const problems = sorted.flatMap(({ problem }) => (problem === undefined ? [] : [`  ${problem}`]));
  return ["", table, ...problems, "", `  ${summary(sorted)}`, ""].join("\n");
}

function cellsOf({ name, record, budget, source, ms }: Row): string[][] {
  const seconds = source === "built" || source === "rebuilt" ? (ms / 1000).toFixed(1) : "";
  if (record === undefined) return [[name, "", "", "", "", source, seconds]];
  const several = record.platforms.length > 1;
  return record.platforms.map((platform, index) => [
    several ? `${name} ${platform.platform}` : name,
    shortDigest(record.digest),
    formatBytes(platform.size),
    formatBytes(platform.unpackedSize),
    used(platform, budget),
    source,
    index === 0 ? seconds : "",
  ]);
}

/** Of the tighter of the two budgets. */
function used({ size, unpackedSize }: PlatformRecord, budget: Row["budget"]): string {
  const shares = [
    ...(budget?.compressed === undefined ? [] : [size / budget.compressed]),
    ...(budget?.unpacked === undefined ? [] : [unpackedSize / budget.unpacked]),
  ];
  return shares.length === 0 ? "-" : formatPercent(Math.max(...shares), 1);
}

function summary(rows: Row[]): string {
  const count = (source: Row["source"]): number => rows.filter((row) => row.source === source).length;
  const parts = (["built", "local", "remote", "rebuilt", "failure", "skipped"] as const)
    .filter((source) => count(source) > 0)
    .map((source) => `${count(source)} ${WORDS[source]}`);
  return `${rows.length} image${rows.length === 1 ? "" : "s"}: ${parts.join(", ")}`;
}

const WORDS = {
  built: "built",
  local: "from the local cache",
  remote: "from the remote cache",
  rebuilt: "made again for a cached record",
  failure: "failed",
  skipped: "skipped",
};
