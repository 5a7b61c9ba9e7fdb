// Kubernetes objects: every `image:` that is a word, whatever kind holds it, so that custom resources count; images of volumes; pairs
// of repository and tag, as HelmRelease has them; and what a kustomization puts in.

import { WaybillError } from "@waybill/oci";
import { isMap, isPair, isScalar, isSeq } from "yaml";
import type { Place } from "../place.ts";
import { referenceOf } from "../place.ts";
import { type Yaml, at, placeOf, stringAt } from "../yaml.ts";
import { valuesPlaces } from "./values.ts";

/** Schemas, and text of people's own: `image:` means something else there. */
const OTHERS = new Set(["CustomResourceDefinition", "ConfigMap", "Secret"]);
const KEYS = new Set(["image", "imageName"]);

/** @param where names the file in errors */
export function kubernetesPlaces(yaml: Yaml, where: string): Place[] {
  const places = yaml.documents.flatMap(({ contents }) => {
    const kind = stringAt(contents, "kind");
    if (stringAt(contents, "apiVersion") === undefined || kind === undefined || OTHERS.has(kind)) return [];
    const [start, end] = contents?.range ?? [0, 0];
    const pairs = pairsIn(yaml.text.slice(start, end), where).map((place) => moved(place, start, yaml));
    return [...images(yaml, contents), ...pairs];
  });
  const known = new Set<number>();
  // `image: a:1` is a value with a tag too.
  return places.filter(({ written }) => {
    if (written === undefined) return true;
    const isNew = !known.has(written.span.start);
    known.add(written.span.start);
    return isNew;
  });
}

/** Stricter than what else is read here: a key that comes twice is no reason to find nothing. */
function pairsIn(text: string, where: string): Place[] {
  try {
    return valuesPlaces(text, where);
  } catch (error) {
    if (error instanceof WaybillError) return [];
    throw error;
  }
}

/** kustomize, "images": newName and newTag or digest, over a name that stands elsewhere. */
export function kustomizationPlaces(yaml: Yaml): Place[] {
  return yaml.documents.flatMap(({ contents }) =>
    [...at(contents, ["images", "*"])].flatMap((entry) => {
      const name = stringAt(entry, "newName") ?? stringAt(entry, "name");
      const digest = stringAt(entry, "digest");
      const reference = referenceOf(`${name}:${tagOf(entry) ?? "latest"}${digest ? `@${digest}` : ""}`);
      const [node] = at(entry, [stringAt(entry, "newName") === undefined ? "name" : "newName"]);
      const [place] = placeOf(yaml, node);
      if (reference === undefined || place === undefined || (tagOf(entry) ?? digest) === undefined) return [];
      // A name is what the kustomization looks for: another one there would find nothing.
      if (stringAt(entry, "newName") === undefined) return [{ line: place.line, reference }];
      return [{ ...place, reference }];
    }),
  );
}

/** As it is written: 1.10 is a number to YAML. */
function tagOf(entry: unknown): string | undefined {
  const [tag] = at(entry, ["newTag"]);
  return isScalar(tag) ? (tag.source ?? undefined) : undefined;
}

function* images(yaml: Yaml, node: unknown): Generator<Place> {
  if (isSeq(node)) for (const item of node.items) yield* images(yaml, item);
  if (!isMap(node)) return;
  for (const item of node.items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    if (KEYS.has(String(item.key.value))) {
      yield* placeOf(yaml, item.value);
      // A volume's.
      for (const reference of at(item.value, ["reference"])) yield* placeOf(yaml, reference);
    }
    yield* images(yaml, item.value);
  }
}

/** From a part of the text to the whole. */
function moved(place: Place, by: number, yaml: Yaml): Place {
  const line = place.line + yaml.lineOf(by) - 1;
  const { written } = place;
  if (written === undefined) return { ...place, line };
  const span = { start: written.span.start + by, end: written.span.end + by };
  return { ...place, line, written: { ...written, span } };
}
