// Infers a project from each image's folder. Reads the folder's files and nothing else: no time, no git, no environment.

import { dirname, join } from "node:path";
import { type CreateNodesV2, createNodesFromFiles } from "@nx/devkit";
import { type Image, readImage } from "@waybill/image";
import { targetsOf } from "./targets.ts";

/** Every Dockerfile below images/, the plain name only: `Dockerfile.debug` belongs to the image beside it. */
export const createNodes: CreateNodesV2 = [
  "images/**/Dockerfile",
  (files, options, context) =>
    createNodesFromFiles(
      async (file) => {
        const root = dirname(file);
        const image = readImage(join(context.workspaceRoot, root));
        return { projects: { [root]: await projectOf(image) } };
      },
      files,
      options,
      context,
    ),
];

async function projectOf(image: Image) {
  return { name: image.name, projectType: "application" as const, targets: await targetsOf(image) };
}
