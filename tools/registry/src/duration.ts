// Times and sizes as people write them in a configuration: "90s", "15m", "36h", "30d"; "500MB", "20GB".

import { z } from "zod";

const MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Record<string, number> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** Text in, milliseconds out. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'write a time as in "90s", "15m", "36h" or "30d"')
  .transform((text) => measure(text, MS));

/** Text in, bytes out. */
export const byteSize = z
  .string()
  .regex(/^\d+(\.\d+)?(B|KB|MB|GB|TB)$/, 'write a size as in "500MB" or "20GB"')
  .transform((text) => measure(text, BYTES));

function measure(text: string, units: Record<string, number>): number {
  const [, number = "", unit = ""] = /^([\d.]+)([A-Za-z]+)$/.exec(text) ?? [];
  return Math.round(Number(number) * (units[unit] ?? 1));
}
