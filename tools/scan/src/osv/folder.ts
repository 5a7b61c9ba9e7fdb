// A folder of OSV's files, as its all.zip extracts: for networks that reach nothing, and for databases of one's own. Folders below it
// that are named after an ecosystem ("Debian", "npm") are read only where a package is of it.

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { WaybillError, check, mapLimit, parseJson } from "@waybill/oci";
import type { Subject } from "../subject.ts";
import { type Advisory, advisory } from "./advisory.ts";
import type { AdvisorySource } from "./source.ts";

const PARALLEL = 32;
const ECOSYSTEMS = new Set(["Debian", "npm", "PyPI", "Go"]);

export class OsvFolder implements AdvisorySource {
  readonly name: string;

  constructor(folder: string) {
    this.name = folder;
  }

  async advisoriesOn(subjects: readonly Subject[]): Promise<Advisory[]> {
    const wanted = new Set(subjects.map(({ ecosystem }) => ecosystem.split(":")[0] as string));
    const files = await filesBelow(this.name, wanted);
    if (files.length === 0) {
      const mend = "extract OSV's all.zip of each ecosystem there";
      throw new WaybillError("no advisory is in the folder", { where: this.name, mend });
    }
    const names = new Set(subjects.map(({ name }) => name.toLowerCase()));
    const read = await mapLimit(files, PARALLEL, (file) => advisoryIn(file, names));
    return read.filter((one) => one !== undefined);
  }
}

async function filesBelow(folder: string, wanted: ReadonlySet<string>): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => !isOther(name.split(":")[0] as string, wanted));
  const below = await Promise.all(folders.map((name) => filesBelow(join(folder, name), wanted)));
  const files = entries.filter(({ name }) => name.endsWith(".json")).map(({ name }) => join(folder, name));
  return [...files, ...below.flat()];
}

const isOther = (name: string, wanted: ReadonlySet<string>): boolean => ECOSYSTEMS.has(name) && !wanted.has(name);

/** Of hundreds of thousands of files few are about these packages: the rest is not checked. */
async function advisoryIn(file: string, names: ReadonlySet<string>): Promise<Advisory | undefined> {
  const json = parseJson(await readFile(file, "utf8"), file);
  return isAbout(json, names) ? check(advisory, json, file) : undefined;
}

function isAbout(json: unknown, names: ReadonlySet<string>): boolean {
  const { affected } = (json ?? {}) as { affected?: { package?: { name?: unknown } }[] };
  if (!Array.isArray(affected)) return false;
  return affected.some((entry) => {
    const written = entry?.package?.name;
    const name = typeof written === "string" ? written.toLowerCase() : "";
    // Python's names: PEP 503.
    return names.has(name) || names.has(name.replaceAll(/[-_.]+/g, "-"));
  });
}
