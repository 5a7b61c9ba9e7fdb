// Python packages: the .dist-info folder that an installer writes (Python packaging, "Recording installed projects").

import type { TreeEntry } from "@waybill/oci";
import type { Finder } from "./finder.ts";
import type { Package } from "./package.ts";
import { parseParagraphs } from "./paragraphs.ts";

const METADATA = /\.dist-info\/METADATA$|\.egg-info\/PKG-INFO$/;

export const pypi: Finder = {
  wants: (path) => METADATA.test(path) || path.endsWith(".dist-info/RECORD"),
  read: ({ path, layer, head }, tree) => {
    if (!METADATA.test(path)) return [];
    const fields = parseParagraphs(head.toString("utf8"))[0];
    const name = fields?.get("name");
    const version = fields?.get("version");
    if (name === undefined || version === undefined) return [];
    const record = tree.get(path.replace(/METADATA$/, "RECORD"));
    return [{ type: "pypi", name: normalise(name), version, path, layer, ...sizeOf(record) } satisfies Package];
  },
};

/** PEP 503: "Ruamel.YAML", "ruamel_yaml" and "ruamel-yaml" are one. */
const normalise = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, "-");

/** RECORD lists path, hash and size of each file. Images may leave it out. */
function sizeOf(record: TreeEntry | undefined): { size?: number } {
  if (record === undefined || record.head.length < record.size) return {};
  const sizes = [...record.head.toString("utf8").matchAll(/,(\d+)\r?$/gm)].map(([, size]) => Number(size));
  return { size: sizes.reduce((sum, size) => sum + size, 0) };
}
