// Infers a project from each image's folder and each tool's. Reads the folders' files and nothing else: no time, no git, no
// environment.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
// Types alone: loading the devkit costs each run of Nx more than all of this plugin.
import type { CreateNodesResult, CreateNodesV2 } from "@nx/devkit";
import { isImageFolder, nameOf, readImage } from "@waybill/image/image";
import { isExpected } from "@waybill/oci/error";
import { FatalFaults } from "./fatal.ts";
import { brokenTargets, targetsOf, toolTargets } from "./targets.ts";

/**
 * The plain name only: `Dockerfile.debug` belongs to the image beside it. A project.json counts where there is no Dockerfile: it may
 * name the upstream repository that has one.
 */
export const createNodes: CreateNodesV2 = [
  "{images/**/{Dockerfile,project.json},tools/*/package.json}",
  (files, _options, { workspaceRoot }) => {
    const faults = new FatalFaults();
    return Promise.all(
      files.map(async (file): Promise<[string, CreateNodesResult]> => {
        const root = dirname(file);
        const folder = join(workspaceRoot, root);
        if (isSecond(file, folder)) return [file, {}];
        const project = file.startsWith("tools/") ? toolProject(folder, root) : await imageProject(folder, faults);
        return [file, project === undefined ? {} : { projects: { [root]: project } }];
      }),
    );
  },
];

/** A project.json that says nothing of its own: its folder's Dockerfile was or will be seen, or it is no image's. */
const isSecond = (file: string, folder: string): boolean =>
  file.endsWith("project.json") && (existsSync(join(folder, "Dockerfile")) || !isImageFolder(folder));

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
