// waybill release plan: what the changesets would make, and every word that charts would change.

import type { Command } from "../command.ts";
import { REGISTRY } from "./registry.ts";
import { describeVersions } from "./text.ts";
import { plannedVersions } from "./versions.ts";

export const command: Command = {
  summary: "shows what the changesets would make; writes nothing",
  usage: "",
  options: REGISTRY,
  async run(_arguments, values) {
    const plan = await plannedVersions(values);
    console.log(values["json"] === true ? JSON.stringify(plan) : describeVersions(plan, true));
    return 0;
  },
};
