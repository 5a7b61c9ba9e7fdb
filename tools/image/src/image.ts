// An image of this repo: one folder under images/ with a Dockerfile, or with a project.json that names the upstream repository whose
// Dockerfile is used. Nothing is registered elsewhere.

import { type Dirent, existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type Dockerfile, parseDockerfile } from "@waybill/dockerfile";
import { parseDocument } from "@waybill/lock/document";
import { LOCK_FILE, type LockedSource } from "@waybill/lock/schema";
import { readLockedSource } from "@waybill/lock/source/locked";
import { WaybillError, isExpected } from "@waybill/oci/error";
import { type ImageMetadata, imageMetadata, projectFile } from "./metadata.ts";
import { workspaceRoot } from "./workspace.ts";

/** What stands before an image's name where a Dockerfile means one of this repo. */
export const SCOPE = "waybill/";

export interface Image {
  name: string;
  /** Absolute path of its folder. */
  folder: string;
  /** Absolute path; of an image from an upstream repository the lock, which has upstream's. */
  dockerfile: string;
  /** What is locked of `metadata.source`; absent until `waybill lock`. */
  source?: LockedSource | undefined;
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
  const where = relative(process.cwd(), file);
  const { name, tags, metadata } = parseDocument(readFileSync(file, "utf8"), projectFile, where);
  const image = { name, folder, dockerfile, tags, metadata: metadata.image };
  if (metadata.image.source === undefined) return image;
  if (existsSync(dockerfile)) {
    const mend = "delete one of them";
    throw new WaybillError("the image has a Dockerfile, and metadata.image.source as well", { where, mend });
  }
  return { ...image, dockerfile: join(folder, LOCK_FILE), source: readLockedSource(folder) };
}

/**
 * Whether the folder holds an image. One that can't be read may be: its own build says why. A Dockerfile inside the folder of an image
 * belongs to that image.
 * @param root of the workspace
 */
export const isImageFolder = (folder: string, root: string): boolean =>
  mayBeImage(folder) && !above(folder, join(root, "images")).some(mayBeImage);

/** The folders between this one and `top`, the nearest first. */
function above(folder: string, top: string): string[] {
  const parent = dirname(folder);
  return parent === top || parent === folder ? [] : [parent, ...above(parent, top)];
}

function mayBeImage(folder: string): boolean {
  if (existsSync(join(folder, "Dockerfile"))) return true;
  const file = join(folder, "project.json");
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  if (!text.includes('"source"')) return false;
  try {
    const { metadata } = JSON.parse(text) as { metadata?: { image?: { source?: unknown } } };
    return metadata?.image?.source !== undefined;
  } catch {
    return true;
  }
}

/**
 * The Dockerfile that the image is built with, its own or upstream's, and what to call it in messages. Asks no network.
 * @throws {WaybillError} upstream's isn't locked yet
 */
export function dockerfileText(image: Image): { text: string; where: string } {
  const { metadata, source, dockerfile, folder, name } = image;
  if (metadata.source === undefined) {
    return { text: readFileSync(dockerfile, "utf8"), where: relative(process.cwd(), dockerfile) };
  }
  if (source !== undefined) {
    const { repository, version, dockerfile: lines } = source;
    return { text: lines.join("\n"), where: `${repository} ${version} ${metadata.source.dockerfile}` };
  }
  throw new WaybillError("the upstream repository isn't locked", {
    where: relative(process.cwd(), join(folder, "project.json")),
    mend: `\`npx waybill lock ${name}\``,
  });
}

/** @throws {WaybillError} the Dockerfile can't be built as it stands: its first problem, with file and line */
export function readDockerfile(image: Image): Dockerfile {
  const { text, where } = dockerfileText(image);
  const dockerfile = parseDockerfile(text, where);
  if (dockerfile.problems[0] !== undefined) throw dockerfile.problems[0];
  return dockerfile;
}

/** Every image of the repo, by name. @throws {WaybillError} one of them can't be read, or has another's name */
export async function findImages(root = workspaceRoot()): Promise<Map<string, Image>> {
  const found = survey(root);
  return new Map([...found.folders.keys()].map((name) => [name, imageNamed(found, name)]));
}

/**
 * @param where the line that asks for it, for the error
 * @throws {WaybillError} no image has that name, or this one can't be read; faults of other images are theirs
 */
export async function findImage(name: string, root = workspaceRoot(), where?: string): Promise<Image> {
  // A name that isn't known may have been added since.
  if (!survey(root).folders.has(name)) surveys.delete(root);
  const found = survey(root);
  if (found.folders.has(name)) return imageNamed(found, name);
  throw new WaybillError(`there is no image "${name}"`, {
    where,
    mend: `the images are ${[...found.folders.keys()].sort().join(", ")}`,
  });
}

/** The images that can be read, by name: for questions about one image, which another's faults must not stop. */
export async function readableImages(root = workspaceRoot()): Promise<Map<string, Image>> {
  const images = new Map<string, Image>();
  for (const name of survey(root).folders.keys()) {
    const image = readableImage(name, root);
    if (image !== undefined) images.set(name, image);
  }
  return images;
}

/** One of `readableImages`, without a look at what the others say. */
export function readableImage(name: string, root = workspaceRoot()): Image | undefined {
  const found = survey(root);
  for (const folder of found.folders.get(name) ?? []) {
    try {
      return readOnce(found, folder);
    } catch (error) {
      if (!isExpected(error)) throw error;
    }
  }
  return undefined;
}

interface Survey {
  /** By name; more than one where somebody has to rename one. */
  folders: Map<string, string[]>;
  /** What was read so far, by folder. */
  images: Map<string, Image>;
}

/** Kept for the process: a command asks several times. `findImage` looks again for a name that isn't there. */
function survey(root: string): Survey {
  const known = surveys.get(root) ?? look(root);
  surveys.set(root, known);
  return known;
}

const surveys = new Map<string, Survey>();

/** Of each image its name alone: a build has no use for what the others say. */
function look(root: string): Survey {
  const folders = new Map<string, string[]>();
  for (const folder of imageFolders(join(root, "images"))) {
    const name = nameOf(folder);
    folders.set(name, [...(folders.get(name) ?? []), folder]);
  }
  return { folders, images: new Map() };
}

/** @throws {WaybillError} it can't be read, or has another's name */
function imageNamed(found: Survey, name: string): Image {
  const folders = found.folders.get(name) as string[];
  const images = folders.map((folder) => readOnce(found, folder));
  if (images.length > 1) throw sameName(name, ...folders);
  return images[0] as Image;
}

function readOnce({ images }: Survey, folder: string): Image {
  const image = images.get(folder) ?? readImage(folder);
  images.set(folder, image);
  return image;
}

/** Does not look into an image, nor does it need a pattern for what is a folder or none: this is part of each build's start. */
function imageFolders(parent: string): string[] {
  return foldersIn(parent).flatMap((folder) => (mayBeImage(folder) ? [folder] : imageFolders(folder)));
}

function foldersIn(parent: string): string[] {
  let entries: Dirent[] = [];
  try {
    entries = readdirSync(parent, { withFileTypes: true });
  } catch {
    // Not there, or not ours to read: no image that anybody could build.
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !["node_modules", "dist"].includes(entry.name));
  return folders.map(({ name }) => join(parent, name)).sort();
}

/** @param folders absolute paths */
export function sameName(name: string, ...folders: string[]): WaybillError {
  const where = folders
    .map((folder) => relative(process.cwd(), folder))
    .toSorted()
    .join(" and ");
  return new WaybillError(`two images are named ${name}`, { where, mend: "rename one in its project.json" });
}

/** The name of an image that can't be read: its project.json's where that much is there, else its folder's. */
export function nameOf(folder: string): string {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, "project.json"), "utf8")) as { name?: unknown };
    return typeof name === "string" && /^[\w.@/-]+$/.test(name) ? name : basename(folder);
  } catch {
    return basename(folder);
  }
}
