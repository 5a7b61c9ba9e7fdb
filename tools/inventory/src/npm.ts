// npm packages: each has its package.json in a folder of node_modules.

import type { TreeEntry } from "@waybill/oci";
import type { Finder } from "./finder.ts";
import type { Package } from "./package.ts";

const MANIFEST = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@.][^/]*\/package\.json$/;

export const npm: Finder = {
  wants: (path) => MANIFEST.test(path),
  read: ({ path, layer, head }, tree) => {
    const manifest = parse(head);
    const { name, version } = manifest;
    // Folders inside packages have package.json files too, which say "type": "module" and no more.
    if (typeof name !== "string" || typeof version !== "string") return [];
    const folder = path.slice(0, -"/package.json".length);
    return [{ type: "npm", name, version, path, layer, size: sizeOf(folder, tree) } satisfies Package];
  },
};

function parse(head: Buffer): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(head.toString("utf8"));
    return typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Without the packages that are nested in it. */
function sizeOf(folder: string, tree: ReadonlyMap<string, TreeEntry>): number {
  let size = 0;
  for (const [path, entry] of tree) {
    if (path.startsWith(`${folder}/`) && !path.includes("/node_modules/", folder.length)) size += entry.size;
  }
  return size;
}
