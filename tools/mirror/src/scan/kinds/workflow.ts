// GitHub workflows and actions: jobs' containers and services, and steps that are images (docs.github.com, "Workflow syntax").

import { isScalar } from "yaml";
import type { Place } from "../place.ts";
import { type Yaml, at, placeOf } from "../yaml.ts";

const IMAGES = [
  ["jobs", "*", "container"],
  ["jobs", "*", "container", "image"],
  ["jobs", "*", "services", "*", "image"],
];
const USES = [
  ["jobs", "*", "steps", "*", "uses"],
  ["runs", "steps", "*", "uses"],
  ["runs", "image"],
];
const SCHEME = "docker://";

export function workflowPlaces(yaml: Yaml): Place[] {
  return yaml.documents.flatMap(({ contents }) => [
    ...IMAGES.flatMap((path) => [...at(contents, path)].flatMap((node) => placeOf(yaml, node))),
    ...USES.flatMap((path) => [...at(contents, path)].flatMap((node) => used(yaml, node))),
  ]);
}

function used(yaml: Yaml, node: unknown): Place[] {
  if (!isScalar(node) || typeof node.value !== "string" || !node.value.startsWith(SCHEME)) return [];
  return placeOf(yaml, node, { skip: SCHEME.length });
}
