// What an image is built from, by what each name means: an image from an upstream repository says in project.json what stands in for
// the images that upstream's Dockerfile names.

import { type Dockerfile, type Edge, edgesOf } from "@waybill/dockerfile";
import { formatReference, parseReference } from "@waybill/oci/reference";
import type { Image } from "./image.ts";

export interface ImageEdge extends Edge {
  /** As the Dockerfile names it; `reference` is what that means. */
  name: string;
}

type Declared = Pick<Image, "metadata">;

/** @param options what is built, as `edgesOf` takes it; build args are the image's own unless given */
export function imageEdges(
  { metadata }: Declared,
  dockerfile: Dockerfile,
  options: Parameters<typeof edgesOf>[2] & { buildArgs?: Readonly<Record<string, string>> } = {},
): ImageEdge[] {
  const { buildArgs = metadata.buildArgs, ...rest } = options;
  const meaning = meaningsOf({ metadata });
  return edgesOf(dockerfile, buildArgs, rest).map((edge) => ({
    ...edge,
    name: edge.reference,
    reference: meaning(edge.reference),
  }));
}

/** What a name of the Dockerfile stands for. */
export function meaningsOf({ metadata }: Declared): (name: string) => string {
  const bases = Object.entries(metadata.source?.bases ?? {});
  if (bases.length === 0) return (name) => name;
  const meanings = new Map(bases.map(([name, meaning]) => [whole(name), meaning]));
  return (name) => meanings.get(whole(name)) ?? name;
}

/** "node:24" and "docker.io/library/node:24" are one. A name that is no reference (a build context) is itself. */
function whole(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    return name;
  }
}
