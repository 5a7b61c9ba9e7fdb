// Finds the workspace: the folder with nx.json above where the command was given.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { WaybillError } from "@waybill/oci/error";

/** @throws {WaybillError} not inside a workspace */
export function workspaceRoot(from = process.env["NX_WORKSPACE_ROOT"] ?? process.cwd()): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "nx.json"))) return folder;
    if (folder === dirname(folder))
      throw new WaybillError("this is not a Waybill workspace", {
        where: from,
        mend: "go to a folder below one with an nx.json",
      });
  }
}
