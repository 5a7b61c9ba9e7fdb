// Dockerfiles: FROM, COPY --from and mounts, with the defaults of ARGs. Stages are no images.

import { type Dockerfile, type Edge, edgesOf, parseDockerfile } from "@waybill/dockerfile";
import type { Found, Place, Span } from "../place.ts";
import { referenceOf } from "../place.ts";

/** @param where names the file in problems */
export function dockerfilePlaces(text: string, where: string): Found {
  const dockerfile = parseDockerfile(text, where);
  const found: Found = { places: [], problems: [], contexts: [] };
  for (const edge of edgesOf(dockerfile)) {
    const { reference: name, line, kind } = edge;
    const reference = referenceOf(name);
    if (kind !== "from" && /^[^/:@]+$/.test(name)) found.contexts.push(name);
    else if (reference !== undefined) found.places.push(placeOf(text, dockerfile, edge, reference));
    else found.problems.push(`${where}:${line}: what "${rawOf(dockerfile, edge)}" is, only a build knows`);
  }
  return found;
}

const rawOf = ({ stages }: Dockerfile, { kind, stage, reference }: Edge): string =>
  kind === "from" ? (stages[stage]?.from.raw ?? reference) : reference;

function placeOf(text: string, dockerfile: Dockerfile, edge: Edge, reference: Place["reference"]): Place {
  const raw = rawOf(dockerfile, edge);
  const variable = /^"?\$(?:\{(\w+)\}|(\w+))"?$/.exec(raw);
  const arg = dockerfile.args.find(({ name }) => name === (variable?.[1] ?? variable?.[2]));
  // A default that a FROM takes as it is: there it is written.
  const [line, word] = arg?.value === undefined ? [edge.line, raw] : [arg.line, arg.value];
  const span = wordIn(text, line, word.replace(/^"(.*)"$/, "$1"));
  return { line: edge.line, reference, ...(span && { written: { kind: "whole", span } }) };
}

/** The first place of a word in an instruction that begins at a line. */
function wordIn(text: string, line: number, word: string): Span | undefined {
  let start = 0;
  for (let at = 1; at < line; at++) start = text.indexOf("\n", start) + 1;
  for (let from = text.indexOf(word, start); from >= 0; from = text.indexOf(word, from + 1)) {
    const before = text[from - 1] ?? " ";
    const after = text[from + word.length] ?? " ";
    if (/[\s=,"']/.test(before) && /[\s,"']/.test(after)) return { start: from, end: from + word.length };
  }
  return undefined;
}
