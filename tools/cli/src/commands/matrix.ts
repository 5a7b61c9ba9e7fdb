// waybill matrix --base REF: the images that a change may concern, for CI's matrix, before a runner is spent on each.

import { workspaceRoot } from "@waybill/image";
import { WaybillError } from "@waybill/oci";
import { affectedImages } from "@waybill/release/affected";
import { type Command, text } from "../command.ts";

export const command: Command = {
  summary: "the images that changes since a commit may concern, for CI's matrix",
  usage: "[<image>...] --base REF",
  options: { base: { type: "string" } },
  async run(positionals, values) {
    const base = text(values, "base");
    if (base === undefined)
      throw new WaybillError("--base is missing", { mend: "npx waybill matrix --base origin/main" });
    const images = await affectedImages(workspaceRoot(), base, positionals);
    console.log(values["json"] === true ? JSON.stringify(images) : images.join("\n"));
    return 0;
  },
};
