// How figures are printed, the same in every table: on a terminal, after a run of Nx, in a pull request.

/** Bytes in decimal units, three digits or so: "45.1 MB". */
export function formatBytes(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

/** What came or went: "+1.2 MB", "-300 B"; "0 B" where nothing did. */
export function formatDelta(bytes: number): string {
  if (bytes === 0) return "0 B";
  return `${bytes > 0 ? "+" : "-"}${formatBytes(Math.abs(bytes))}`;
}

/** The first 12 digits of a digest, as every tool of the field shortens it. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, "").slice(0, 12);

export const formatSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

export const formatPercent = (part: number, whole: number): string => `${Math.round((part / whole) * 100)} %`;

/** Columns padded to their widest cell; those named in `right` are right-aligned. */
export function formatTable(header: string[], rows: string[][], right: readonly number[] = []): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: string[]): string =>
    cells
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [header, ...rows].map(line).join("\n");
}
