// An image of this repo: one folder under images/ with a Dockerfile. Nothing is registered elsewhere.

import { existsSync, readFileSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Dockerfile, parseDockerfile } from "@waybill/dockerfile";
import { parseDocument } from "@waybill/lock";
import { WaybillError } from "@waybill/oci";
import { type ImageMetadata, imageMetadata, projectFile } from "./metadata.ts";
import { workspaceRoot } from "./workspace.ts";

/** What stands before an image's name where a Dockerfile means one of this repo. */
export const SCOPE = "waybill/";

export interface Image {
  name: string;
  /** Absolute path of its folder. */
  folder: string;
  /** Absolute path. */
  dockerfile: string;
  tags: string[];
  metadata: ImageMetadata;
}

export const recordFile = (image: Pick<Image, "folder">): string => join(image.folder, "dist", "image.json");
export const layoutFolder = (image: Pick<Image, "folder">): string => join(image.folder, "dist", "layout");

/**
 * Reads an image's folder.
 * @throws {WaybillError} project.json breaks its schema; every problem with its line
 */
export function readImage(folder: string): Image {
  const file = join(folder, "project.json");
  const dockerfile = join(folder, "Dockerfile");
  if (!existsSync(file)) {
    return { name: basename(folder), folder, dockerfile, tags: [], metadata: imageMetadata.parse({}) };
  }
  const { name, tags, metadata } = parseDocument(readFileSync(file, "utf8"), projectFile, file);
  return { name, folder, dockerfile, tags, metadata: metadata.image };
}

/** @throws {WaybillError} the Dockerfile can't be built as it stands: its first problem, with file and line */
export function readDockerfile(image: Image): Dockerfile {
  const dockerfile = parseDockerfile(readFileSync(image.dockerfile, "utf8"), image.dockerfile);
  if (dockerfile.problems[0] !== undefined) throw dockerfile.problems[0];
  return dockerfile;
}

/** Every image of the repo, by name. */
export async function findImages(root = workspaceRoot()): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for await (const file of glob("images/**/Dockerfile", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist)$/.test(path),
  })) {
    const image = readImage(join(root, dirname(file)));
    const other = images.get(image.name);
    if (other !== undefined) {
      throw new WaybillError(`two images are named ${image.name}`, {
        where: `${other.folder} and ${image.folder}`,
        mend: "rename one",
      });
    }
    images.set(image.name, image);
  }
  return images;
}

/** @throws {WaybillError} no image has that name; names the nearest */
export async function findImage(name: string, root = workspaceRoot()): Promise<Image> {
  const images = await findImages(root);
  const image = images.get(name);
  if (image !== undefined) return image;
  throw new WaybillError(`there is no image "${name}"`, {
    mend: `the images are ${[...images.keys()].sort().join(", ")}`,
  });
}
