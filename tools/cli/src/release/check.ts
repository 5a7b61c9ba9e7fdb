// waybill release check: charts that name a version which was never released.

import { workspaceRoot } from "@waybill/image";
import { unreleased } from "@waybill/release";
import type { Command } from "../command.ts";
import { REGISTRY, registryOf } from "./registry.ts";

export const command: Command = {
  summary: "finds charts that name a version which was never released",
  usage: "",
  options: REGISTRY,
  async run(_arguments, values) {
    const found = await unreleased(workspaceRoot(), await registryOf(values));
    if (values["json"] === true) console.log(JSON.stringify(found));
    else {
      for (const { where, image, tag, version: of } of found)
        console.log(`${where}: ${image}:${tag} was never released (its version is ${of})`);
    }
    return found.length > 0 ? 1 : 0;
  },
};
