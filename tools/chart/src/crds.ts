// A chart ships CRDs that are generated elsewhere in the repo: Helm takes them from the chart's own folder only. Chart.yaml says where
// they come from, and they must be the same.

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { parseDocument } from "yaml";

/** The annotation of Chart.yaml: a folder of the repo. */
const SOURCE = "waybill.dev/crds";

/** The folder that a chart's CRDs come from, relative to the workspace. Undefined: they are its own. */
function crdSource(chart: string): string | undefined {
  const document = parseDocument(readFileSync(join(chart, "Chart.yaml"), "utf8"));
  const source: unknown = document.getIn(["annotations", SOURCE]);
  return typeof source === "string" ? source : undefined;
}

/**
 * Names of files in crds/ that are not what their source has.
 * @param chart absolute folder
 * @throws {WaybillError} the source isn't there
 */
export function crdDrift(chart: string, root: string): string[] {
  const source = crdSource(chart);
  if (source === undefined) return [];
  const wanted = yamlFiles(join(root, source));
  if (wanted.size === 0)
    throw new WaybillError(`there are no CRDs in ${source}`, { where: join(chart, "Chart.yaml"), mend: SOURCE });
  const found = yamlFiles(join(chart, "crds"));
  return [...new Set([...wanted.keys(), ...found.keys()])]
    .filter((name) => wanted.get(name) !== found.get(name))
    .toSorted();
}

/** Makes crds/ what its source is. @returns names of the files that changed */
export async function copyCrds(chart: string, root: string): Promise<string[]> {
  const drift = crdDrift(chart, root);
  if (drift.length === 0) return [];
  const wanted = yamlFiles(join(root, crdSource(chart) as string));
  for (const name of drift) {
    const file = join(chart, "crds", name);
    const content = wanted.get(name);
    await (content === undefined ? rm(file) : writeFileAtomic(file, content));
  }
  return drift;
}

/** Content by name. */
function yamlFiles(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
