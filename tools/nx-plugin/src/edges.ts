// Idea 5: the edges are what the Dockerfiles and the charts' values say.

import { existsSync } from "node:fs";
import { join } from "node:path";
// Types alone: loading the devkit costs each run of Nx more than all of this plugin.
import type {
  CreateDependencies,
  CreateDependenciesContext,
  DependencyType,
  RawProjectGraphDependency,
} from "@nx/devkit";
import { circlesOf, ownEdges } from "@waybill/image/cycle";
import { isImageFolder, readImage } from "@waybill/image/image";
import { isExpected } from "@waybill/oci/error";
import { chartEdges } from "./charts.ts";

export const createDependencies: CreateDependencies<{ registry?: string }> = async (options, context) => [
  ...imageEdges(context),
  ...(await chartEdges(context, options?.registry)),
];

/**
 * FROM, COPY --from and RUN --mount=from= of other images of this repo. A name that is no project is left to the build, which says
 * so with its line. So is a circle: its edges are left out, as Nx would otherwise run nothing at all. Whether an edge is in one
 * depends on other files, so all are read each time, not those alone that changed.
 */
function imageEdges({ projects, workspaceRoot }: CreateDependenciesContext): RawProjectGraphDependency[] {
  const bases = new Map<string, string[]>();
  for (const [source, { root }] of Object.entries(projects)) {
    if (!isImageFolder(join(workspaceRoot, root), workspaceRoot)) continue;
    const names = namesIn(join(workspaceRoot, root));
    bases.set(
      source,
      names.filter((name) => name !== source && projects[name] !== undefined),
    );
  }
  const circles = circlesOf(bases);
  const found: RawProjectGraphDependency[] = [];
  for (const [source, names] of bases) {
    for (const target of names) {
      if (circles.get(source) !== undefined && circles.get(source) === circles.get(target)) continue;
      const root = projects[source]?.root ?? "";
      // Of an image from an upstream repository the lock has the Dockerfile.
      const file = existsSync(join(workspaceRoot, root, "Dockerfile")) ? "Dockerfile" : "image.lock.json";
      const sourceFile = join(root, file);
      found.push({ source, target, sourceFile, type: "static" as DependencyType.static });
    }
  }
  return found;
}

/** None for an image that can't be read: its own build says why. */
function namesIn(folder: string): string[] {
  try {
    return [...ownEdges(readImage(folder)).keys()];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [];
  }
}
