// New tags and digests in a values.yaml: comments, order, quotes and spaces stay as people wrote them.

import { type ValuesImage, type Span } from "./values.ts";

export interface NewImage {
  tag: string;
  /** Pins the image; absent: a digest that stands there is another image's, and is emptied. */
  digest?: string | undefined;
}

interface Change extends Span {
  text: string;
}

/** @param edits images as `valuesImages` found them in this very text */
export function editValues(text: string, edits: readonly { image: ValuesImage; to: NewImage }[]): string {
  const changes = edits.flatMap(({ image, to }) => changesOf(text, image, to));
  let result = text;
  // From the end on, so that offsets before stay true.
  for (const { start, end, text: replacement } of changes.toSorted((a, b) => b.start - a.start)) {
    result = result.slice(0, start) + replacement + result.slice(end);
  }
  return result;
}

function changesOf(text: string, image: ValuesImage, { tag, digest }: NewImage): Change[] {
  const { whole, tag: tagSpan, digest: digestSpan } = image.spans;
  if (whole !== undefined) {
    // The repository stays as it is written: "redis" and "docker.io/library/redis" are one, but people chose.
    const written = unquoted(text.slice(whole.start, whole.end));
    const name = written.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
    return [replace(text, whole, `${name}:${tag}${digest === undefined ? "" : `@${digest}`}`)];
  }
  const changes = tagSpan === undefined ? [] : [replace(text, tagSpan, tag)];
  if (digestSpan !== undefined) changes.push(replace(text, digestSpan, digest ?? ""));
  else if (digest !== undefined && tagSpan !== undefined) changes.push(insert(text, tagSpan, image.indent, digest));
  return changes;
}

/** A line below the tag's, or one more entry of a `{flow: map}`. */
function insert(text: string, tag: Span, indent: string | undefined, digest: string): Change {
  if (indent === undefined) return { start: tag.end, end: tag.end, text: `, digest: ${digest}` };
  const newline = text.indexOf("\n", tag.end);
  const at = newline < 0 ? text.length : newline;
  // The first key of an item in a list stands behind its dash.
  const spaces = indent.replace("-", " ");
  const ending = text[at - 1] === "\r" ? 1 : 0;
  return { start: at - ending, end: at - ending, text: `${ending ? "\r\n" : "\n"}${spaces}digest: ${digest}` };
}

function replace(text: string, { start, end }: Span, value: string): Change {
  const before = text.slice(start, end);
  const space = start === end && text[start - 1] === ":" ? " " : "";
  return { start, end, text: `${space}${quotedAs(before, value)}` };
}

/** In the quotes that were there; plain text gets some where YAML would read a number, a date or nothing. */
function quotedAs(before: string, value: string): string {
  if (before.startsWith("'")) return `'${value}'`;
  if (
    before.startsWith('"') ||
    !/^[A-Za-z]|^\d+\.\d+\.\d/.test(value) ||
    /^(null|true|false|yes|no|on|off)$/i.test(value)
  )
    return `"${value}"`;
  return value;
}

const unquoted = (text: string): string => (/^["']/.test(text) ? text.slice(1, -1) : text);
