// All rules for one image: its Dockerfile as it stands, and what was built from it.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { parseDockerfile, readIgnore } from "@waybill/dockerfile";
import { type Image, dockerfileText, sharedNames } from "@waybill/image";
import { readLock } from "@waybill/lock";
import { parseJson, WaybillError } from "@waybill/oci";
import type { BlobStore, ImageRecord } from "@waybill/oci";
import { dockerfileFindings } from "./dockerfile-rules.ts";
import { edgeDifferences, edgeFinding } from "./edges.ts";
import type { EdgeFacts } from "./edges.ts";
import type { EnsureOptions } from "./ensure-hadolint.ts";
import { Exceptions } from "./exceptions.ts";
import { sortFindings } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { hadolint } from "./hadolint.ts";
import { imageFindings } from "./image-rules.ts";

export interface LintOptions extends EnsureOptions {
  /** The repo's images by name, as `findImages` gives them. */
  images: ReadonlyMap<string, Pick<Image, "folder">>;
  /** With a store: the built image is looked at too. */
  record?: ImageRecord | undefined;
  store?: BlobStore | undefined;
}

/**
 * Every finding on an image, errors first.
 * @throws {WaybillError} a file can't be read, a layer isn't in the store, or hadolint can't be had
 */
export async function lintImage(image: Image, options: LintOptions): Promise<Finding[]> {
  const { text, where: file } = dockerfileText(image);
  const { record, store } = options;
  const exceptions = new Exceptions(text);
  const findings = await Promise.all([
    // How upstream writes its Dockerfile is upstream's matter.
    image.metadata.source === undefined ? hadolint(image.dockerfile, file, options) : [],
    repoFindings(image, text, file, options),
    record !== undefined && store !== undefined
      ? imageFindings(record, store, { ...image.metadata, file, exceptions })
      : [],
  ]);
  return sortFindings([...findings.flat().filter((one) => !exceptions.covers(one)), ...exceptions.findings(file)]);
}

async function repoFindings(image: Image, text: string, file: string, { images }: LintOptions): Promise<Finding[]> {
  const { folder, name, metadata } = image;
  const dockerfile = parseDockerfile(text, file, { buildArgs: metadata.buildArgs });
  const ignoreFile = ignoreFileOf(image);
  const ignore = existsSync(ignoreFile) ? await readIgnore(folder, image.dockerfile) : undefined;
  const facts = {
    dockerfile,
    image,
    name,
    ignore,
    ignoreFile: relative(process.cwd(), ignoreFile),
    buildArgs: metadata.buildArgs,
    images: new Set(images.keys()),
    shared: sharedNames(),
    lock: await readLock(folder),
  };
  const differences = await edgeDifferences(await edgeFacts(image, images));
  return [...dockerfileFindings(facts), ...differences.map(edgeFinding)];
}

/** What `edgeDifferences` and `fixEdges` need to know of an image. */
export async function edgeFacts(image: Image, images: LintOptions["images"]): Promise<EdgeFacts> {
  const { folder, metadata } = image;
  const { text, where } = dockerfileText(image);
  const dockerfile = parseDockerfile(text, where, { buildArgs: metadata.buildArgs });
  const versions = await Promise.all(
    [...images].map(async ([name, one]) => [name, await versionOf(one.folder)] as const),
  );
  return { folder, image, dockerfile, versions: new Map(versions) };
}

/** An image without a package.json is told by the rules for that image, not by those that build on it. */
async function versionOf(folder: string): Promise<string> {
  const file = join(folder, "package.json");
  if (!existsSync(file)) return "0.0.0";
  const { version } = parseJson(await readText(file), file) as { version?: unknown };
  return typeof version === "string" ? version : "0.0.0";
}

function ignoreFileOf({ folder, dockerfile }: Image): string {
  const own = join(folder, `${basename(dockerfile)}.dockerignore`);
  return existsSync(own) ? own : join(folder, ".dockerignore");
}

async function readText(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw new WaybillError("can't read the file", {
      where: relative(process.cwd(), file),
      mend: "is it there?",
      cause,
    });
  });
}
