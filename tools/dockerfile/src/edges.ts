// The images and named build contexts a Dockerfile is built from.

import type { BuildOptions, Dockerfile } from "./dockerfile.ts";
import { linksOf, reachableStages } from "./graph.ts";
import type { LinkKind } from "./graph.ts";

export interface Edge {
  /** As the Dockerfile names it, variables put in: an image reference or a named build context. */
  reference: string;
  line: number;
  kind: LinkKind;
  /** The index of the stage it is in. */
  stage: number;
  /** The platform that `FROM --platform=` asks it for; absent where that is what is built for. */
  platform?: string;
  /** False where a build of the target doesn't come to that stage. */
  reachable: boolean;
}

/**
 * What a Dockerfile is built from, through FROM, COPY --from and RUN --mount=from=, in the order of its lines. Stages of the
 * Dockerfile itself and `scratch` are no edges.
 * @param buildArgs values that replace ARG defaults
 */
export function edgesOf(
  dockerfile: Dockerfile,
  buildArgs: Readonly<Record<string, string>> = {},
  options: Omit<BuildOptions, "buildArgs"> = {},
): Edge[] {
  const links = linksOf(dockerfile, { ...options, buildArgs });
  const reached = reachableStages(dockerfile, links, options.target);
  return links.flatMap((ofStage, stage) =>
    ofStage.flatMap(({ kind, source, line, platform }) => {
      if (source === "scratch" || "stage" in source) return [];
      const edge = { reference: source.reference, line, kind, stage, reachable: reached.has(stage) };
      return [{ ...edge, ...(platform !== undefined && { platform }) }];
    }),
  );
}
