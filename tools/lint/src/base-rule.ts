// Everything an image is built from is another image of this repo, a folder that images share, or pinned in the image's own lock.

import type { Dockerfile } from "@waybill/dockerfile";
import { SCOPE, imageEdges, noShared, parseSharedContext } from "@waybill/image";
import type { Image } from "@waybill/image";
import { LOCK_FILE, parseSetContext } from "@waybill/lock";
import type { ImageLock } from "@waybill/lock";
import type { Finding } from "./finding.ts";

export interface BaseFacts {
  dockerfile: Dockerfile;
  /** Says what stands in for upstream's bases, if it has an upstream. */
  image: Pick<Image, "metadata">;
  lock: ImageLock;
  /** metadata.image.buildArgs */
  buildArgs: Readonly<Record<string, string>>;
  /** Names of the repo's images. */
  images: ReadonlySet<string>;
  /** Names of the folders that images share. */
  shared: readonly string[];
  /** The image's own name. */
  name: string;
}

export function baseFindings(facts: BaseFacts): Finding[] {
  const { dockerfile, image } = facts;
  return imageEdges(image, dockerfile).flatMap(({ reference, line }) => {
    const problem = problemOf(reference, facts);
    if (problem === undefined) return [];
    return [{ rule: "base-unknown", file: dockerfile.file, line, ...problem, severity: "error" as const }];
  });
}

function problemOf(
  reference: string,
  { images, lock, name, shared }: BaseFacts,
): { message: string; mend: string } | undefined {
  if (reference.startsWith(SCOPE)) return problemOfOwn(reference.slice(SCOPE.length), images, name);
  const folder = parseSharedContext(reference);
  if (folder !== undefined) return shared.includes(folder) ? undefined : noShared(folder, shared);
  const named = parseSetContext(reference);
  if (named !== undefined) {
    const { kind, set } = named;
    if ((kind === "files" ? lock.files : lock.packages)[set] !== undefined) return undefined;
    const message = `the set "${set}" is not in ${LOCK_FILE}`;
    return { message, mend: `declare it in project.json, then \`npx waybill lock ${name}\`` };
  }
  if (lock.bases[reference] !== undefined) return undefined;
  const message = `${reference} is neither an image of this repo nor pinned in ${LOCK_FILE}`;
  return { message, mend: `write ${SCOPE}<image>, or pin it with \`npx waybill lock ${name}\`` };
}

function problemOfOwn(
  own: string,
  images: ReadonlySet<string>,
  name: string,
): { message: string; mend: string } | undefined {
  if (own === name) return { message: "the image is built from itself", mend: "name another image" };
  if (images.has(own)) return undefined;
  const message = `there is no image ${SCOPE}${own} in this repo`;
  return { message, mend: `the images are ${[...images].toSorted().join(", ")}` };
}
