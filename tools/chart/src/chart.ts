// A chart of this repo: a folder of charts/ with a Chart.yaml.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check } from "@waybill/oci/document";
import { WaybillError } from "@waybill/oci/error";
import { parseDocument } from "yaml";
import { z } from "zod";
import { type ValuesImage, valuesImages } from "./values.ts";

/** Chart.yaml, as far as it is read here (Helm, "The Chart.yaml File"). */
const chartFile = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, "a chart's name is lower-case letters, digits and dashes"),
  version: z.string(),
  appVersion: z.coerce.string().optional(),
});

export interface Chart {
  /** Absolute. */
  folder: string;
  name: string;
  version: string;
  appVersion: string | undefined;
  /** What values.yaml names, in the order of the file. */
  images: ValuesImage[];
}

/** @throws {WaybillError} a file that is no YAML, or no chart's */
export function readChart(folder: string): Chart {
  const file = join(folder, "Chart.yaml");
  const document = parseDocument(readFileSync(file, "utf8"));
  const problem = document.errors[0];
  if (problem !== undefined) throw new WaybillError(problem.message.split("\n")[0] as string, { where: file });
  const { name, version, appVersion } = check(chartFile, document.toJS(), file);
  const values = valuesFile(folder);
  const images = existsSync(values) ? valuesImages(readFileSync(values, "utf8"), values) : [];
  return { folder, name, version, appVersion, images };
}

export const valuesFile = (folder: string): string => join(folder, "values.yaml");

/** Every chart of the repo, by name. */
export function findCharts(root: string): Chart[] {
  const charts = join(root, "charts");
  if (!existsSync(charts)) return [];
  return readdirSync(charts)
    .sort()
    .filter((name) => existsSync(join(charts, name, "Chart.yaml")))
    .map((name) => readChart(join(charts, name)));
}
