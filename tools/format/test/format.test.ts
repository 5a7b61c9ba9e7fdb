import { expect, test } from "vitest";
import { formatBytes, formatDelta, formatTable, shortDigest } from "@waybill/format";

test("bytes are in decimal units, as registries count", () => {
  expect([999, 1_000, 45_100_000, 2_500_000_000].map(formatBytes)).toEqual(["999 B", "1.0 kB", "45.1 MB", "2.50 GB"]);
});

test("a delta has its sign, and none where nothing changed", () => {
  expect([1_200_000, -300, 0].map(formatDelta)).toEqual(["+1.2 MB", "-300 B", "0 B"]);
});

test("a digest is shortened to twelve digits, with its algorithm or without", () => {
  const hex = "0123456789abcdef".repeat(4);
  expect([`sha256:${hex}`, hex].map(shortDigest)).toEqual(["0123456789ab", "0123456789ab"]);
});

test("columns are as wide as their widest cell, and no line ends in spaces", () => {
  expect(
    formatTable(
      ["image", "size"],
      [
        ["a", "1.0 MB"],
        ["longer", ""],
      ],
      [1],
    ),
  ).toBe(["image     size", "a       1.0 MB", "longer"].join("\n"));
});
