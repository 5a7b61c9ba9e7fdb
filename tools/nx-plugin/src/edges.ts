// Idea 5: the edges are what the Dockerfiles say.

import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type CreateDependencies,
  DependencyType,
  type RawProjectGraphDependency,
  validateDependency,
} from "@nx/devkit";
import { cycleOf, ownEdges, readImage } from "@waybill/image";
import { isExpected } from "@waybill/oci";

/**
 * FROM, COPY --from and RUN --mount=from= of other images of this repo. A name that is no project is left to the build, which says
 * so with its line. So is a circle: its edges are left out, as Nx would otherwise run nothing at all. Whether an edge is in one
 * depends on other files, so all are read each time, not those alone that changed.
 */
export const createDependencies: CreateDependencies = (_options, context) => {
  const { projects, workspaceRoot } = context;
  const bases = new Map<string, string[]>();
  for (const [source, { root }] of Object.entries(projects)) {
    if (!existsSync(join(workspaceRoot, root, "Dockerfile"))) continue;
    const names = namesIn(join(workspaceRoot, root));
    bases.set(
      source,
      names.filter((name) => name !== source && projects[name] !== undefined),
    );
  }
  const basesOf = (name: string): string[] => bases.get(name) ?? [];
  const found: RawProjectGraphDependency[] = [];
  for (const [source, names] of bases) {
    const circles = cycleOf(source, basesOf) !== undefined;
    for (const target of names) {
      if (circles && leadsBack(source, target, basesOf)) continue;
      const sourceFile = join(projects[source]?.root ?? "", "Dockerfile");
      const dependency = { source, target, sourceFile, type: DependencyType.static };
      validateDependency(dependency, context);
      found.push(dependency);
    }
  }
  return found;
};

const leadsBack = (source: string, target: string, basesOf: (name: string) => string[]): boolean =>
  cycleOf(source, (name) => (name === source ? [target] : basesOf(name))) !== undefined;

/** None for an image that can't be read: its own build says why. */
function namesIn(folder: string): string[] {
  try {
    return [...ownEdges(readImage(folder)).keys()];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [];
  }
}
