// Infers a project from each image's folder and each tool's. Reads the folders' files and nothing else: no time, no git, no
// environment.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CreateNodesV2, createNodesFromFiles } from "@nx/devkit";
import { nameOf, readImage } from "@waybill/image";
import { isExpected } from "@waybill/oci";
import { FatalFaults } from "./fatal.ts";
import { brokenTargets, targetsOf, toolTargets } from "./targets.ts";

/** The plain name only: `Dockerfile.debug` belongs to the image beside it. */
export const createNodes: CreateNodesV2 = [
  "{images/**/Dockerfile,tools/*/package.json}",
  (files, options, context) => {
    const faults = new FatalFaults();
    return createNodesFromFiles(
      async (file) => {
        const root = dirname(file);
        const folder = join(context.workspaceRoot, root);
        const project = file.startsWith("tools/") ? toolProject(folder, root) : await imageProject(folder, faults);
        return project === undefined ? {} : { projects: { [root]: project } };
      },
      files,
      options,
      context,
    );
  },
];

/** An image that can't be read is a project all the same: its targets say what is wrong, and the rest of the workspace works. */
async function imageProject(folder: string, faults: FatalFaults) {
  const projectType = "application" as const;
  try {
    const image = readImage(folder);
    faults.look(folder, image.name);
    return { name: image.name, projectType, targets: await targetsOf(image) };
  } catch (error) {
    if (!isExpected(error)) throw error;
    const name = nameOf(folder);
    faults.look(folder, name, error.message);
    return { name, projectType, targets: brokenTargets(name) };
  }
}

const toolProject = (folder: string, root: string) =>
  existsSync(join(folder, "test")) ? { projectType: "library" as const, targets: toolTargets(root) } : undefined;
