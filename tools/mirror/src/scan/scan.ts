// The images that a folder names: in charts, Dockerfiles, compose files, Kubernetes objects and workflows.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatReference, mapLimit } from "@waybill/oci";
import type { Wanted } from "../lists/list.ts";
import { namesImages, scanText } from "./file.ts";
import { filesOf } from "./files.ts";
import { NOTHING, type Found } from "./place.ts";
import { renderedPlaces } from "./rendered.ts";
import { readYaml, stringAt } from "./yaml.ts";

/** Files read at a time. */
const PARALLEL = 16;
/** A file that people wrote is smaller; in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface Scanned {
  /** Every place, in the order of files and lines. */
  images: Wanted[];
  /** What could not be read: a line for people each. */
  problems: string[];
}

/** @throws {WaybillError} the folder can't be read */
export async function scanFolder(folder: string): Promise<Scanned> {
  const files = await filesOf(folder);
  const own = await builtIn(folder, files);
  const found = await mapLimit(files.filter(namesImages), PARALLEL, async (file) => ({
    where: join(folder, file),
    found: await scanFile(folder, file, files),
  }));
  const charts = files.filter((file) => /(?:^|\/)Chart\.yaml$/.test(file)).map((file) => join(folder, dirname(file)));
  const written = found.flatMap((each) => wantedOf(each.where, each.found, own));
  const names = new Set(written.map(({ reference }) => formatReference(reference)));
  const rendered = await mapLimit(charts, 2, async (chart) => ({
    where: chart,
    found: await renderedPlaces(chart, chart),
  }));
  const more = rendered.flatMap((each) => wantedOf(`${each.where} (rendered)`, each.found, own));
  const contexts = [...new Set(found.flatMap((each) => each.found.contexts))].sort();
  return {
    images: [...written, ...more.filter(({ reference }) => !names.has(formatReference(reference)))],
    problems: [
      ...[...found, ...rendered].flatMap((each) => each.found.problems),
      ...(contexts.length > 0
        ? [`${folder}: taken for build contexts, and not for images: ${contexts.join(", ")}`]
        : []),
    ],
  };
}

async function scanFile(folder: string, file: string, files: readonly string[]): Promise<Found> {
  const bytes = await readFile(join(folder, file)).catch(() => undefined);
  // Deleted, but not from git's index; or a link to nothing.
  if (bytes === undefined || bytes.length > MAX_BYTES) return NOTHING;
  const chart = join(dirname(file), "Chart.yaml");
  const appVersion = files.includes(chart) ? await appVersionOf(join(folder, chart)) : undefined;
  return scanText(bytes.toString("utf8"), file, join(folder, file), { appVersion });
}

/** Undefined for a Chart.yaml that is none: its values are read all the same. */
async function appVersionOf(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  try {
    return stringAt(readYaml(text, file).documents[0]?.contents, "appVersion");
  } catch {
    return undefined;
  }
}

/** Images that this very folder builds: Dockerfiles name "waybill/node" what package.json calls "@waybill/node". */
async function builtIn(folder: string, files: readonly string[]): Promise<Set<string>> {
  const packages = files.filter((file) => /(?:^|\/)package\.json$/.test(file));
  const names = await mapLimit(packages, PARALLEL, async (file) => {
    const text = await readFile(join(folder, file), "utf8").catch(() => "");
    return /"name":\s*"@([^"]+)"/.exec(text)?.[1] ?? [];
  });
  return new Set(names.flat());
}

function wantedOf(where: string, { places }: Found, own: ReadonlySet<string>): Wanted[] {
  return places
    .toSorted((one, other) => one.line - other.line)
    .filter(({ reference }) => reference.registry !== "docker.io" || !own.has(reference.repository))
    .map(({ reference, line }) => ({ reference, where: line === 0 ? where : `${where}:${line}` }));
}
