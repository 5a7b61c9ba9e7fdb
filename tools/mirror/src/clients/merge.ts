// What is there already, with what we write: a client's settings are its owner's first.

import { WaybillError, parseJson } from "@waybill/oci";
import { MARK } from "./client.ts";

/**
 * @param there the file's text; absent where there is none
 * @param ours what `waybill mirror clients` writes
 * @param file named in errors
 * @throws {WaybillError} somebody else's file, in a format that can't be merged without losing his comments
 */
export function merged(there: string | undefined, ours: string, file: string): string {
  if (there === undefined || there === ours || there.startsWith(MARK)) return ours;
  if (file.endsWith(".json")) return mergedJson(there, ours, file);
  throw new WaybillError("somebody else wrote this file", {
    where: file,
    mend: "--out another folder, and put in what is yours",
  });
}

/** Lists get what they lack, first: mirrors are asked in their order. All else stays. */
function mergedJson(there: string, ours: string, file: string): string {
  const before = parseJson(there, file) as Record<string, unknown>;
  const lists = Object.entries(parseJson(ours, file) as Record<string, string[]>).map(([key, values]) => {
    const known = Array.isArray(before[key]) ? (before[key] as unknown[]) : [];
    return [key, [...new Set([...values, ...known])]] as const;
  });
  return `${JSON.stringify({ ...before, ...Object.fromEntries(lists) }, undefined, 2)}\n`;
}
