// package.json says what an image is built from too, for the tools that read nothing else (changesets, turbo-ignore, npm). It must
// say what the Dockerfile says; `fixEdges` makes it so.

import { readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import type { Dockerfile } from "@waybill/dockerfile";
import { SCOPE, imageEdges } from "@waybill/image";
import type { Image } from "@waybill/image";
import { parseJson, WaybillError, writeFileAtomic } from "@waybill/oci";
import type { Finding } from "./finding.ts";

/** How npm packages of images are named. */
const PACKAGE_SCOPE = "@waybill/";

export interface EdgeDifference {
  /** The image both speak of. */
  image: string;
  kind: "missing" | "surplus" | "version";
  /** What the dependency's version is, and what it ought to be: the image's own. */
  is?: string;
  shouldBe?: string;
  /** The file to mend (package.json) or, where an edge is missing there, the Dockerfile line that has it. */
  file: string;
  line: number;
}

export interface EdgeFacts {
  /** The image's folder. */
  folder: string;
  dockerfile: Dockerfile;
  image: Pick<Image, "metadata">;
  /** Version in package.json, by the name of each of the repo's images. */
  versions: ReadonlyMap<string, string>;
}

/**
 * Where package.json and Dockerfile name different images.
 * @throws {WaybillError} package.json can't be read
 */
export async function edgeDifferences(facts: EdgeFacts): Promise<EdgeDifference[]> {
  const { text, file, dependencies } = await readPackage(facts.folder);
  const lineOf = (image: string): number =>
    text.slice(0, Math.max(0, text.indexOf(`"${PACKAGE_SCOPE}${image}"`))).split("\n").length;
  const wanted = imagesOf(facts);
  const differences: EdgeDifference[] = [];
  for (const [image, line] of wanted) {
    const is = dependencies[PACKAGE_SCOPE + image];
    const shouldBe = facts.versions.get(image) ?? "0.0.0";
    if (is === undefined) differences.push({ image, kind: "missing", shouldBe, file: facts.dockerfile.file, line });
    else if (is !== shouldBe) differences.push({ image, kind: "version", is, shouldBe, file, line: lineOf(image) });
  }
  for (const [name, is] of Object.entries(dependencies)) {
    const image = name.startsWith(PACKAGE_SCOPE) ? name.slice(PACKAGE_SCOPE.length) : "";
    if (facts.versions.has(image) && !wanted.has(image)) {
      differences.push({ image, kind: "surplus", is, file, line: lineOf(image) });
    }
  }
  return differences;
}

/** Makes package.json say what the Dockerfile says. Returns what it mended. */
export async function fixEdges(facts: EdgeFacts): Promise<EdgeDifference[]> {
  const differences = await edgeDifferences(facts);
  if (differences.length === 0) return [];
  const { content, dependencies } = await readPackage(facts.folder);
  for (const { image, kind, shouldBe } of differences) {
    if (kind === "surplus") delete dependencies[PACKAGE_SCOPE + image];
    else dependencies[PACKAGE_SCOPE + image] = shouldBe ?? "0.0.0";
  }
  const sorted = Object.fromEntries(Object.entries(dependencies).toSorted(([one], [other]) => (one < other ? -1 : 1)));
  const mended = { ...content, dependencies: Object.keys(sorted).length === 0 ? undefined : sorted };
  await writeFileAtomic(join(facts.folder, "package.json"), `${JSON.stringify(mended, undefined, 2)}\n`);
  return differences;
}

export function edgeFinding({ image, kind, is, shouldBe, file, line }: EdgeDifference): Finding {
  const message = {
    missing: `the Dockerfile is built from ${SCOPE}${image}, package.json doesn't depend on ${PACKAGE_SCOPE}${image}`,
    surplus: `package.json depends on ${PACKAGE_SCOPE}${image}, the Dockerfile isn't built from it`,
    version: `package.json depends on ${PACKAGE_SCOPE}${image} ${is}, which is at ${shouldBe}`,
  }[kind];
  return { rule: "edges-differ", file, line, message, mend: "`npx waybill edges --fix`", severity: "error" };
}

/** Images of this repo by the first line that names them. */
function imagesOf({ dockerfile, image: declared }: EdgeFacts): Map<string, number> {
  const images = new Map<string, number>();
  for (const { reference, line } of imageEdges(declared, dockerfile)) {
    const image = reference.startsWith(SCOPE) ? reference.slice(SCOPE.length) : undefined;
    if (image !== undefined && !images.has(image)) images.set(image, line);
  }
  return images;
}

const firstPackage = (name: string): object => ({ name: PACKAGE_SCOPE + name, version: "0.1.0", private: true });

interface Package {
  file: string;
  text: string;
  content: Record<string, unknown>;
  dependencies: Record<string, string>;
}

async function readPackage(folder: string): Promise<Package> {
  const path = join(folder, "package.json");
  const file = relative(process.cwd(), path);
  const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    // A new image may be without: the edges it lacks are told, and mended into a first version.
    if (cause.code === "ENOENT") return JSON.stringify(firstPackage(basename(folder)));
    throw new WaybillError("can't read package.json", { where: file, cause });
  });
  const content = parseJson(text, file) as Record<string, unknown>;
  return { file, text, content, dependencies: { ...(content["dependencies"] as Record<string, string> | undefined) } };
}
