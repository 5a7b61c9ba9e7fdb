// The images that a chart's values.yaml names, as pairs of repository and tag or as whole references, and where each part stands in
// the text: a new tag replaces the old one's characters, and every other byte of the file stays.

import { isDigest } from "@waybill/oci/digest";
import { WaybillError } from "@waybill/oci/error";
import { parseReference } from "@waybill/oci/reference";
import { LineCounter, type Pair, type Scalar, type YAMLMap, isMap, isPair, isScalar, isSeq, parseDocument } from "yaml";

/** Where a value stands: offsets into the text, the end excluded. */
export interface Span {
  start: number;
  end: number;
}

export interface ValuesImage {
  /** "controllerManager.manager.image". */
  path: string;
  /** Of the file, from 1. */
  line: number;
  /** With its registry: "ghcr.io/acme/images/operator", "docker.io/library/redis". */
  repository: string;
  /** Undefined where it is absent or empty: charts then take their appVersion. */
  tag: string | undefined;
  digest: string | undefined;
  /** A map of repository, tag and digest, or one string. */
  form: "pair" | "whole";
  spans: { registry?: Span; repository?: Span; tag?: Span; digest?: Span; whole?: Span };
  /** The text from the line's start to the key of the tag, for a digest that is to stand below it; absent in `{flow: maps}`. */
  indent?: string;
}

/**
 * All images that the values name, in the order of the file.
 * @param text of a values.yaml
 * @param where names the file in errors
 * @throws {WaybillError} the text is no YAML
 */
export function valuesImages(text: string, where: string): ValuesImage[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    const { line } = lines.linePos(problem.pos[0]);
    throw new WaybillError(problem.message.split("\n")[0] ?? "no YAML", { where: `${where}:${line}` });
  }
  const found: ValuesImage[] = [];
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  collect(document.contents, [], { text, lineOf, found });
  return found;
}

interface Search {
  text: string;
  lineOf: (offset: number) => number;
  found: ValuesImage[];
}

function collect(node: unknown, path: string[], search: Search): void {
  if (isSeq(node)) for (const [index, item] of node.items.entries()) collect(item, [...path, String(index)], search);
  if (!isMap(node)) return;
  const pair = pairOf(node, path, search);
  if (pair !== undefined) search.found.push(pair);
  for (const item of node.items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    const at = [...path, String(item.key.value)];
    const whole = pair === undefined && isScalar(item.value) ? wholeOf(item.value, at, search) : undefined;
    if (whole !== undefined) search.found.push(whole);
    collect(item.value, at, search);
  }
}

/** `repository` with `tag` or `digest` beside it, and `registry` or not: what `helm create` and most charts write. */
function pairOf(map: YAMLMap, path: string[], { text, lineOf }: Search): ValuesImage | undefined {
  const repository = stringAt(map, "repository");
  const tag = scalarAt(map, "tag");
  const digest = scalarAt(map, "digest") ?? scalarAt(map, "sha");
  if (repository === undefined || (tag === undefined && digest === undefined)) return undefined;
  const registry = stringAt(map, "registry");
  const named = referenceOf(registry ? `${registry}/${repository}` : repository);
  if (named === undefined) return undefined;
  const key = keyOf(map, tag === undefined ? "digest" : "tag");
  const indent =
    map.flow || key?.range === undefined ? undefined : beforeOf(text, (key.range as number[])[0] as number);
  return {
    path: path.join("."),
    line: lineOf(scalarAt(map, "repository")?.range?.[0] ?? 0),
    repository: `${named.registry}/${named.repository}`,
    tag: textOf(tag),
    digest: textOf(digest),
    form: "pair",
    spans: {
      ...(registry && spanOf("registry", scalarAt(map, "registry"))),
      ...spanOf("repository", scalarAt(map, "repository")),
      ...spanOf("tag", tag),
      ...spanOf("digest", digest),
    },
    ...(indent === undefined ? {} : { indent }),
  };
}

/** A string that can only be a reference: under a key that says image, and with a tag or a digest. */
function wholeOf(scalar: Scalar, path: string[], { lineOf }: Search): ValuesImage | undefined {
  const { value, range } = scalar;
  if (typeof value !== "string" || !path.some((key) => /image/i.test(key))) return undefined;
  // A digest alone reads as a name with a tag.
  const named = isDigest(value) ? undefined : referenceOf(value);
  if (named === undefined || (named.digest === undefined && !/:[^/]+$/.test(value))) return undefined;
  const [start, end] = range as [number, number, number];
  return {
    path: path.join("."),
    line: lineOf(start),
    repository: `${named.registry}/${named.repository}`,
    tag: /:[^/@]+(@|$)/.test(value) ? named.tag : undefined,
    digest: named.digest,
    form: "whole",
    spans: { whole: { start, end } },
  };
}

function referenceOf(text: string) {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function keyOf(map: YAMLMap, name: string): Scalar | undefined {
  const pair = map.items.find((item: Pair) => isScalar(item.key) && item.key.value === name);
  return isScalar(pair?.key) ? pair.key : undefined;
}

function scalarAt(map: YAMLMap, name: string): Scalar | undefined {
  const node = map.get(name, true) as unknown;
  return isScalar(node) ? node : undefined;
}

const stringAt = (map: YAMLMap, name: string): string | undefined => textOf(scalarAt(map, name));

/** As it is written: a tag of 1.10 is a number to YAML, and not the one that was meant. */
function textOf(scalar: Scalar | undefined): string | undefined {
  const value = scalar?.value === null ? "" : scalar?.source;
  return value === "" ? undefined : value;
}

function spanOf(name: keyof ValuesImage["spans"], scalar: Scalar | undefined) {
  if (scalar?.range === undefined || scalar.range === null) return {};
  const [start, end] = scalar.range;
  return { [name]: { start, end } };
}

function beforeOf(text: string, offset: number): string {
  return text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
}
