// Compose files (compose-spec, "services"): image, with variables' defaults.

import type { Place } from "../place.ts";
import { type Yaml, at, placeOf } from "../yaml.ts";

/** Services', and of what they merge in: x-common. */
const IMAGES = [
  ["services", "*", "image"],
  ["*", "image"],
];

export function composePlaces(yaml: Yaml): Place[] {
  return yaml.documents.flatMap(({ contents }) =>
    IMAGES.flatMap((path) => [...at(contents, path)]).flatMap((node) => placeOf(yaml, node, { resolve: withDefaults })),
  );
}

/** compose-spec, "Interpolation": ${NAME:-default} and ${NAME-default}. @returns undefined where a variable has no default */
function withDefaults(text: string): string | undefined {
  const resolved = text.replaceAll(/\$\{\w+:?-([^${}]*)\}/g, "$1");
  return resolved.includes("$") ? undefined : resolved;
}
