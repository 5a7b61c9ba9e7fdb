// A list of images: a reference a line, platforms after it where it wants others than the rest, and comments.
//
//   # Storage
//   quay.io/minio/minio:latest
//   vllm/vllm-openai:latest    linux/amd64     # there is no other

import type { Reference } from "@waybill/oci";
import { WaybillError, formatPlatform, formatReference, parsePlatform, parseReference } from "@waybill/oci";

/** An image that somebody wants. */
export interface Wanted {
  reference: Reference;
  /** Instead of those that everything is wanted for. */
  platforms?: readonly string[];
  /** Who wants it: "lists/inference.txt:7". */
  where?: string;
}

/**
 * @param file names the list in errors
 * @throws {WaybillError} every line that is wrong
 */
export function parseList(text: string, file: string): Wanted[] {
  const problems: WaybillError[] = [];
  const seen = new Map<string, number>();
  const wanted = text.split(/\r?\n/).flatMap((line, index) => {
    try {
      return readLine(line, `${file}:${index + 1}`, index + 1, seen);
    } catch (error) {
      if (!(error instanceof WaybillError)) throw error;
      problems.push(error);
      return [];
    }
  });
  const [first, ...more] = problems;
  if (first === undefined) return wanted;
  throw more.length === 0 ? first : new WaybillError(problems.map(({ message }) => message).join("; "));
}

/** @param seen lines of references */
function readLine(line: string, where: string, number: number, seen: Map<string, number>): Wanted[] {
  const [name, platforms, ...more] = line
    .replace(/(?:^|\s)#.*$/, "")
    .trim()
    .split(/\s+/);
  if (name === undefined || name === "") return [];
  if (more.length > 0) throw new WaybillError("a line is a reference and, after it, platforms with commas", { where });
  const reference = placed(where, () => parseReference(name));
  const text = formatReference(reference);
  const before = seen.get(text);
  if (before !== undefined) throw new WaybillError(`${name} stands in line ${before} already`, { where });
  seen.set(text, number);
  if (platforms === undefined) return [{ reference, where }];
  const parsed = platforms.split(",").map((each) => placed(where, () => formatPlatform(parsePlatform(each))));
  return [{ reference, platforms: parsed, where }];
}

function placed<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof WaybillError) throw new WaybillError(error.what, { where, mend: error.mend });
    throw error;
  }
}

/** Each image once, with the platforms of all who want it. */
export function merged(all: readonly Wanted[]): Wanted[] {
  const byName = new Map<string, Wanted>();
  for (const wanted of all) {
    const name = formatReference(wanted.reference);
    const known = byName.get(name);
    byName.set(name, known === undefined ? wanted : both(known, wanted));
  }
  return [...byName.values()];
}

/** Who names no platforms wants those that everything is wanted for. */
function both({ platforms, ...one }: Wanted, other: Wanted): Wanted {
  if (platforms === undefined || other.platforms === undefined) return one;
  return { ...one, platforms: [...new Set([...platforms, ...other.platforms])] };
}
