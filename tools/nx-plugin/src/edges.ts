// Idea 5: the edges are what the Dockerfiles say.

import { join, relative } from "node:path";
import {
  type CreateDependencies,
  DependencyType,
  type RawProjectGraphDependency,
  validateDependency,
} from "@nx/devkit";
import { edgesOf, parseDockerfile } from "@waybill/dockerfile";
import { SCOPE, readImage } from "@waybill/image";
import { existsSync, readFileSync } from "node:fs";

/** FROM, COPY --from and RUN --mount=from= of other images of this repo. A name that is no project is left to `lint`. */
export const createDependencies: CreateDependencies = (_options, context) => {
  const { projects, workspaceRoot, filesToProcess } = context;
  const found: RawProjectGraphDependency[] = [];
  for (const [source, project] of Object.entries(projects)) {
    const file = join(project.root, "Dockerfile");
    if (!touched(filesToProcess.projectFileMap[source], file) || !existsSync(join(workspaceRoot, file))) continue;
    const image = readImage(join(workspaceRoot, project.root));
    const dockerfile = parseDockerfile(
      readFileSync(image.dockerfile, "utf8"),
      relative(workspaceRoot, image.dockerfile),
    );
    for (const reference of new Set(edgesOf(dockerfile, image.metadata.buildArgs).map((edge) => edge.reference))) {
      const target = reference.startsWith(SCOPE) ? reference.slice(SCOPE.length) : undefined;
      if (target === undefined || projects[target] === undefined || target === source) continue;
      const dependency = { source, target, sourceFile: file, type: DependencyType.static };
      validateDependency(dependency, context);
      found.push(dependency);
    }
  }
  return found;
};

/** Nx keeps the edges of files that have not changed. */
const touched = (files: { file: string }[] | undefined, path: string): boolean =>
  files?.some(({ file }) => file === path) ?? false;
