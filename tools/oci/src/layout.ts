// An OCI image layout (image-spec, "Image Layout"): what engines read and write, and what air-gap bundles are. Ours may have a
// symlink for blobs/, to the store all layouts of a machine share.

import { randomUUID } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, readFile, readlink, realpath, rename, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeFileAtomic } from "./atomic.ts";
import { BlobStore } from "./blobstore.ts";
import { canonicalJson } from "./canonical.ts";
import type { Descriptor } from "./descriptor.ts";
import { check, parseJson } from "./document.ts";
import { WaybillError } from "./error.ts";
import { indexSchema } from "./imageindex.ts";
import type { ImageIndex } from "./imageindex.ts";
import { MEDIA_TYPE } from "./mediatype.ts";

/** The annotation that names an image within a layout (image-spec, "Pre-Defined Annotation Keys"). */
const REF_NAME = "org.opencontainers.image.ref.name";
const MARKER = { imageLayoutVersion: "1.0.0" };
const markerSchema = z.object({ imageLayoutVersion: z.literal("1.0.0") });

export class Layout {
  readonly folder: string;
  readonly blobs: BlobStore;

  private constructor(folder: string, blobs: BlobStore) {
    this.folder = folder;
    this.blobs = blobs;
  }

  /** Opens a layout that is there. @throws {WaybillError} the folder is no OCI layout */
  static async open(folder: string): Promise<Layout> {
    const file = join(folder, "oci-layout");
    check(markerSchema, parseJson(await readLayoutFile(file), file), file);
    const blobs = await realpath(join(folder, "blobs")).catch((cause: unknown) => {
      throw notALayout(join(folder, "blobs"), cause);
    });
    return new Layout(folder, new BlobStore(dirname(blobs)));
  }

  /**
   * Opens a layout, or makes an empty one.
   * @param store where the blobs go, unless the layout has a folder of its own for them; without it they lie in such a folder
   */
  static async create(folder: string, store?: BlobStore): Promise<Layout> {
    await mkdir(folder, { recursive: true });
    await makeBlobs(join(folder, "blobs"), store);
    await writeFileIfAbsent(join(folder, "index.json"), emptyIndex());
    // Last: a folder with this file is a whole layout.
    await writeFileIfAbsent(join(folder, "oci-layout"), canonicalJson(MARKER));
    return await Layout.open(folder);
  }

  async readIndex(): Promise<ImageIndex> {
    const file = join(this.folder, "index.json");
    return check(indexSchema, parseJson(await readLayoutFile(file), file), file);
  }

  /** Points `refName` at an image, in place of what it named before. One writer a layout at a time. */
  async add({ mediaType, digest, size, platform }: Descriptor, refName: string): Promise<void> {
    const index = await this.readIndex();
    const others = index.manifests.filter((entry) => entry.annotations?.[REF_NAME] !== refName);
    const entry = { mediaType, digest, size, platform, annotations: { [REF_NAME]: refName } };
    await writeFileAtomic(join(this.folder, "index.json"), canonicalJson({ ...index, manifests: [...others, entry] }));
  }

  /** The image a name points at. */
  async find(refName: string): Promise<Descriptor | undefined> {
    const { manifests } = await this.readIndex();
    return manifests.find((entry) => entry.annotations?.[REF_NAME] === refName);
  }
}

function emptyIndex(): string {
  return canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests: [] });
}

async function makeBlobs(path: string, store: BlobStore | undefined): Promise<void> {
  if (store === undefined) return (await isThere(path)) ? undefined : await mkdir(path);
  const target = join(store.root, "blobs");
  await mkdir(target, { recursive: true });
  await link(path, await realpath(target));
}

/** Points `path` at the store in one step. A link to a store that was moved or deleted is replaced; a folder stays. */
async function link(path: string, target: string): Promise<void> {
  const found = await lstatOf(path);
  if (found !== undefined && !found.isSymbolicLink()) return;
  if (found !== undefined && (await readlink(path)) === target) return;
  const temporary = `${path}.${randomUUID()}.tmp`;
  await symlink(target, temporary);
  await rename(temporary, path);
}

async function writeFileIfAbsent(file: string, content: string): Promise<void> {
  if (!(await isThere(file))) await writeFileAtomic(file, content);
}

async function isThere(path: string): Promise<boolean> {
  return (await lstatOf(path)) !== undefined;
}

async function lstatOf(path: string): Promise<Stats | undefined> {
  return await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
}

async function readLayoutFile(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw notALayout(file, cause);
  });
}

function notALayout(where: string, cause: unknown): WaybillError {
  const { code } = cause as NodeJS.ErrnoException;
  return new WaybillError(`not an OCI image layout (${code})`, { where, mend: "build the image again", cause });
}
