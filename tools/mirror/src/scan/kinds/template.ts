// Templates of charts: no YAML before they are rendered, but what stands there as it is can be read.

import type { Place } from "../place.ts";
import { referenceOf } from "../place.ts";

const IMAGE = /^(?<before>[ \t]*(?:- )?image:[ \t]*["']?)(?<name>[^\s"'{}#]+)["']?[ \t]*(?:#.*)?\r?$/gm;

export function templatePlaces(text: string): Place[] {
  return [...text.matchAll(IMAGE)].flatMap(({ groups, index }) => {
    const { before = "", name = "" } = groups ?? {};
    const reference = referenceOf(name);
    if (reference === undefined) return [];
    const start = index + before.length;
    const line = text.slice(0, start).split("\n").length;
    return [{ line, reference, written: { kind: "whole", span: { start, end: start + name.length } } }];
  });
}
