// The upstream repository of an image: as locked, or another for one build.

import { join, relative } from "node:path";
import { type Dockerfile, PREDEFINED_ARGS, consumedArgs, declaredArgs } from "@waybill/dockerfile";
import { sourceDeclaration } from "@waybill/lock/source/declaration";
import { check } from "@waybill/oci/document";
import { WaybillError } from "@waybill/oci/error";
import type { Image } from "./image.ts";

export interface SourceOverride {
  repository?: string | undefined;
  version?: string | undefined;
}

interface FetchOptions {
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The image with another upstream for this run: asked anew, and not written to the lock.
 * @throws {WaybillError} the image has no upstream repository, or that one can't be had
 */
export async function withSource(image: Image, override: SourceOverride, options: FetchOptions = {}): Promise<Image> {
  const { repository, version } = override;
  if (repository === undefined && version === undefined) return image;
  const where = relative(process.cwd(), join(image.folder, "project.json"));
  if (image.metadata.source === undefined) {
    throw new WaybillError(`${image.name} is built from its own Dockerfile`, {
      where,
      mend: "--source-repo and --source-version are for images with metadata.image.source",
    });
  }
  const declared = check(
    sourceDeclaration,
    {
      ...image.metadata.source,
      ...(repository !== undefined && { repository }),
      ...(version !== undefined && { version }),
    },
    "--source-repo, --source-version",
  );
  const { resolveSource } = await import("@waybill/lock/source/lock-source");
  const source = await resolveSource(declared, { imageFolder: image.folder, ...fetching(options) });
  return { ...image, source, metadata: { ...image.metadata, source: declared } };
}

export interface BuildFiles {
  /** Absolute paths. */
  dockerfile: string;
  context: string;
}

/**
 * What the engine is given: the image's own folder, or upstream's files.
 * @throws {WaybillError} they can't be had, or upstream's Dockerfile doesn't know a build arg
 */
export async function buildFiles(
  image: Image,
  dockerfile: Dockerfile,
  buildArgs: Readonly<Record<string, string>>,
  options: FetchOptions,
): Promise<BuildFiles> {
  const { source, folder, metadata } = image;
  if (metadata.source === undefined || source === undefined) return { dockerfile: image.dockerfile, context: folder };
  assertConsumed(dockerfile, buildArgs);
  // Most images have no use for it.
  const { buildableSource } = await import("@waybill/lock/source/lock-source");
  const prepared = await buildableSource(source, metadata.source, { imageFolder: folder, ...fetching(options) });
  return {
    dockerfile: join(prepared.folder, metadata.source.dockerfile),
    context: join(prepared.folder, metadata.source.context),
  };
}

/** Upstream may have renamed a build arg: from then on it would change nothing, and nobody would be told. */
export function assertConsumed(dockerfile: Dockerfile, buildArgs: Readonly<Record<string, string>>): void {
  const consumed = new Set(consumedArgs(dockerfile, { buildArgs }).map(({ name }) => name));
  const unused = Object.keys(buildArgs).find((name) => !consumed.has(name) && !PREDEFINED_ARGS.has(name));
  if (unused === undefined) return;
  const declared = declaredArgs(dockerfile);
  throw new WaybillError(`upstream's Dockerfile doesn't use the build arg ${unused}`, {
    where: dockerfile.file,
    mend: declared.length === 0 ? "it has none" : `its build args are ${declared.join(", ")}`,
  });
}

const fetching = ({ onLine, signal }: FetchOptions) => ({ onProgress: onLine, signal });
