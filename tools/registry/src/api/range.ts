// The part of a blob a client asks for (RFC 9110 section 14). One range; of several the whole is sent, which the RFC allows.

export interface Range {
  start: number;
  /** The last byte, included. */
  last: number;
}

/** @returns undefined for the whole, "unsatisfiable" for a range outside of it */
export function readRange(header: string | undefined, size: number): Range | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return ofSuffix(Number(to), size);
  const start = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  // That an end lies before its start may be passed over or refused (RFC 9110 section 14.2): nobody wants the whole for it.
  return start > last ? "unsatisfiable" : { start, last };
}

function ofSuffix(length: number, size: number): Range | "unsatisfiable" {
  if (length === 0 || size === 0) return "unsatisfiable";
  return { start: Math.max(0, size - length), last: size - 1 };
}
