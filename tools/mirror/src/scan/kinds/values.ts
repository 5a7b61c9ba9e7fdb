// Values of charts, and of objects that hold values: pairs of repository and tag, and whole references.

import { type ValuesImage, valuesImages } from "@waybill/chart";
import type { Place, Span } from "../place.ts";
import { referenceOf } from "../place.ts";

/** @param appVersion what charts take where there is no tag @throws {WaybillError} the text is no YAML */
export function valuesPlaces(text: string, where: string, appVersion?: string): Place[] {
  return valuesImages(text, where).flatMap((image) => placeOf(text, image, appVersion));
}

function placeOf(text: string, image: ValuesImage, appVersion: string | undefined): Place[] {
  const { repository, digest, line } = image;
  const tag = image.tag ?? (image.form === "pair" && digest === undefined ? appVersion : undefined);
  if (image.form === "pair" && tag === undefined && digest === undefined) return [];
  const reference = referenceOf(`${repository}${tag === undefined ? "" : `:${tag}`}${digestPart(digest)}`);
  const written = writtenOf(text, image);
  return reference === undefined ? [] : [{ line, reference, ...(written && { written }) }];
}

/** Charts write digests with their algorithm and without. */
function digestPart(digest: string | undefined): string {
  if (digest === undefined) return "";
  return digest.includes(":") ? `@${digest}` : `@sha256:${digest}`;
}

function writtenOf(text: string, { spans }: ValuesImage): Place["written"] {
  const { whole, registry, repository } = spans;
  const span = whole ?? registry ?? repository;
  if (span === undefined) return undefined;
  const inner = unquoted(text, span);
  if (whole !== undefined || registry === undefined) return { kind: "whole", span: inner };
  const name = repository && unquoted(text, repository);
  return name && { kind: "registry", span: inner, repository: text.slice(name.start, name.end) };
}

function unquoted(text: string, { start, end }: Span): Span {
  return /["']/.test(text[start] ?? "") ? { start: start + 1, end: end - 1 } : { start, end };
}
