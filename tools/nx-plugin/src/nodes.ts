// Infers a project from each image's folder, each chart's and each tool's. Reads the folders' files and nothing else: no time, no git, no
// environment.

import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
// Types alone: loading the devkit costs each run of Nx more than all of this plugin.
import type { CreateNodesResult, CreateNodesV2 } from "@nx/devkit";
import { type Image, isImageFolder, nameOf, readImage } from "@waybill/image/image";
import { isExpected, type WaybillError } from "@waybill/oci/error";
import { chartTargets } from "./charts.ts";
import { FatalFaults } from "./fatal.ts";
import { gearOf } from "./gear.ts";
import { brokenTargets, targetsOf, toolTargets } from "./targets.ts";

/**
 * The plain name only: `Dockerfile.debug` belongs to the image beside it. A project.json counts where there is no Dockerfile: it may
 * name the upstream repository that has one.
 */
export const createNodes: CreateNodesV2 = [
  "{images/**/{Dockerfile,project.json},tools/*/package.json,charts/*/Chart.yaml}",
  (files, _options, { workspaceRoot }) => {
    const faults = new FatalFaults();
    const images = imagesOf(files, workspaceRoot);
    const names = new Set([...images.values()].map(({ name }) => name));
    return Promise.all(
      files.map(async (file): Promise<[string, CreateNodesResult]> => {
        const image = images.get(file);
        const project =
          image === undefined ? otherProject(file, workspaceRoot, names) : await imageProject(image, names, faults);
        return [file, project === undefined ? {} : { projects: { [dirname(file)]: project } }];
      }),
    );
  },
];

/** A project.json that says nothing of its own: its folder's Dockerfile was or will be seen. */
const isSecond = (file: string, folder: string): boolean =>
  file.endsWith("project.json") && existsSync(join(folder, "Dockerfile"));

/** What of an image is known before others are looked at; one that can't be read has its error. */
type Found = { folder: string; name: string; image: Image } | { folder: string; name: string; error: WaybillError };

/** By the file that stands for each. */
function imagesOf(files: readonly string[], root: string): Map<string, Found> {
  const found = new Map<string, Found>();
  for (const file of files) {
    const folder = join(root, dirname(file));
    if (file.startsWith("images/") && !isSecond(file, folder) && isImageFolder(folder, root))
      found.set(file, look(folder));
  }
  return found;
}

function look(folder: string): Found {
  try {
    const image = readImage(folder);
    return { folder, name: image.name, image };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { folder, name: nameOf(folder), error };
  }
}

/** An image that can't be read is a project all the same: its targets say what is wrong, and the rest of the workspace works. */
async function imageProject(found: Found, names: ReadonlySet<string>, faults: FatalFaults) {
  const { folder, name } = found;
  const projectType = "application" as const;
  const broken = (message: string) => {
    faults.look(folder, name, message);
    return { name, projectType, targets: brokenTargets(name) };
  };
  if ("error" in found) return broken(found.error.message);
  try {
    faults.look(folder, name);
    return { name, projectType, targets: await targetsOf(found.image, gearOf(folder, names)) };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return broken(error.message);
  }
}

/** A chart or a tool; nothing for a file that another one stands for, and for a tool without tests. */
function otherProject(file: string, workspaceRoot: string, images: ReadonlySet<string>) {
  const root = dirname(file);
  if (file.startsWith("charts/")) {
    const name = basename(root);
    const targets = chartTargets(name, gearOf(join(workspaceRoot, root), images));
    return { name: `${name}-chart`, projectType: "application" as const, targets };
  }
  if (!file.startsWith("tools/") || !existsSync(join(workspaceRoot, root, "test"))) return undefined;
  return { projectType: "library" as const, targets: toolTargets(root) };
}
