// References in a file, rewritten in place: comments, order, quotes and spaces stay as people wrote them.

import { scanText } from "../scan/file.ts";
import { type Place, type Span, referenceOf } from "../scan/place.ts";
import type { Rewrite } from "./reference.ts";

export interface Rewritten {
  text: string;
  /** How many names. */
  changed: number;
  /** What should change, and is not written in one piece: a line for people each. */
  left: string[];
}

interface Change extends Span {
  text: string;
}

/**
 * @param path says what kind of file it is, @param where names it in lines for people
 */
export function rewriteText(text: string, path: string, where: string, rewrite: Rewrite): Rewritten {
  const { places, problems } = scanText(text, path, where);
  const changes = new Map<number, Change>();
  const left = [...problems];
  for (const place of places) {
    const change = changeOf(text, place, rewrite);
    if (change === "by hand")
      left.push(`${where}:${place.line}: its name is not written in one piece: rewrite it by hand`);
    // Several instructions may stand on one ARG.
    else if (change !== undefined) changes.set(change.start, change);
  }
  let result = text;
  // From the end on, so that offsets before stay true.
  for (const change of [...changes.values()].toSorted((one, other) => other.start - one.start))
    result = result.slice(0, change.start) + change.text + result.slice(change.end);
  return { text: result, changed: changes.size, left };
}

function changeOf(text: string, { reference, written }: Place, rewrite: Rewrite): Change | "by hand" | undefined {
  const { registry, repository } = reference;
  const to = rewrite({ registry, repository });
  if (to === undefined) return undefined;
  const name = `${to.registry}/${to.repository}`;
  if (written === undefined) return "by hand";
  if (written.kind === "registry") {
    const rest = `/${written.repository}`;
    return name.endsWith(rest) ? { ...written.span, text: name.slice(0, -rest.length) } : "by hand";
  }
  const { start, end } = written.span;
  const length = nameLength(text.slice(start, end));
  const named = length === undefined ? undefined : referenceOf(text.slice(start, start + length));
  // With variables in its name, it may be another one elsewhere.
  if (length === undefined || named?.registry !== registry || named.repository !== repository) return "by hand";
  return { start, end: start + length, text: name };
}

/** How much of what is written is name: all but tag and digest. Undefined where variables are in it. */
function nameLength(written: string): number | undefined {
  const variable = written.indexOf("$");
  const fixed = variable < 0 ? written : written.slice(0, variable);
  const slash = fixed.lastIndexOf("/");
  const mark = fixed.slice(slash + 1).search(/[:@]/);
  if (
    variable >= 0 &&
    (mark < 0 ||
      written
        .slice(variable)
        .replaceAll(/\$\{[^}]*\}/g, "")
        .includes("/"))
  )
    return undefined;
  return mark < 0 ? written.length : slash + 1 + mark;
}
