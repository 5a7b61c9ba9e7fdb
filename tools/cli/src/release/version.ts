// waybill release version: versions, changelogs, and the tags in charts.

import { workspaceRoot } from "@waybill/image";
import { version } from "@waybill/release";
import type { Command } from "../command.ts";
import { REGISTRY } from "./registry.ts";
import { describeVersions } from "./text.ts";
import { plannedVersions } from "./versions.ts";

export const command: Command = {
  summary: "writes the versions, the changelogs and the tags in charts",
  usage: "",
  options: { ...REGISTRY, "dry-run": { type: "boolean" } },
  async run(_arguments, values) {
    const dry = values["dry-run"] === true;
    const plan = await plannedVersions(values);
    if (!dry) await version(workspaceRoot(), plan);
    console.log(values["json"] === true ? JSON.stringify(plan) : describeVersions(plan, dry));
    return 0;
  },
};
