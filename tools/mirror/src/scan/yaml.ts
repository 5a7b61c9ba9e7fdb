// YAML with the place of each word. Only what is written as it is meant has one: no escapes, no folded lines.

import { WaybillError } from "@waybill/oci";
import { LineCounter, isMap, isScalar, isSeq, parseAllDocuments } from "yaml";
import type { Document, Scalar } from "yaml";
import type { Place, Span } from "./place.ts";
import { referenceOf } from "./place.ts";

export interface Yaml {
  text: string;
  documents: Document.Parsed[];
  lineOf(offset: number): number;
}

/** @param where names the file in errors @throws {WaybillError} with its line: the text is no YAML */
export function readYaml(text: string, where: string): Yaml {
  const lines = new LineCounter();
  const options = { lineCounter: lines, uniqueKeys: false, logLevel: "error" } as const;
  const documents = [...parseAllDocuments(text, options)] as Document.Parsed[];
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  const problem = documents.flatMap(({ errors }) => errors)[0];
  if (problem === undefined) return { text, documents, lineOf };
  throw new WaybillError(problem.message.split("\n")[0]?.replace(/ at line .*$/, "") ?? "no YAML", {
    where: `${where}:${lineOf(problem.pos[0])}`,
  });
}

/** What stands at a path of keys; "*" is every entry of a map or a list. */
export function* at(node: unknown, [key, ...rest]: readonly string[]): Generator {
  if (key === undefined) yield node;
  else if (isSeq(node) && key === "*") for (const item of node.items) yield* at(item, rest);
  else if (isMap(node))
    for (const pair of node.items)
      if (key === "*" || (isScalar(pair.key) && pair.key.value === key)) yield* at(pair.value, rest);
}

export function stringAt(node: unknown, ...path: string[]): string | undefined {
  const [found] = at(node, path);
  return isScalar(found) && typeof found.value === "string" ? found.value : undefined;
}

/**
 * The place of a word that names an image; none for one that doesn't.
 * @param resolve puts values in for variables
 * @param skip so many characters before the name: "docker://"
 */
export function placeOf(
  yaml: Yaml,
  node: unknown,
  { resolve = (text) => text, skip = 0 }: { resolve?: (text: string) => string | undefined; skip?: number } = {},
): Place[] {
  if (!isScalar(node) || typeof node.value !== "string") return [];
  const resolved = resolve(node.value.slice(skip));
  const reference = resolved === undefined ? undefined : referenceOf(resolved);
  if (reference === undefined) return [];
  const span = innerSpan(yaml.text, node);
  const line = yaml.lineOf(node.range?.[0] ?? 0);
  const written = span && ({ kind: "whole", span: { start: span.start + skip, end: span.end } } as const);
  return [{ line, reference, ...(written && { written }) }];
}

/** Of a word without its quotes. */
function innerSpan(text: string, { range, value }: Scalar): Span | undefined {
  if (!range) return undefined;
  const quoted = /["']/.test(text[range[0]] ?? "") ? 1 : 0;
  const span = { start: range[0] + quoted, end: range[1] - quoted };
  return text.slice(span.start, span.end) === value ? span : undefined;
}
