// waybill mirror pull: images into the mirror before anybody asks for them.

import { merged } from "@waybill/mirror/lists";
import { WaybillError } from "@waybill/oci";
import { type Command, list } from "../command.ts";
import { PULL_FLAGS, pullInto, scannedIn, wantedOf } from "./pulling.ts";

export const command: Command = {
  summary: "brings images, lists of them, or those that a folder names into the mirror",
  usage: "<list|image>…",
  options: { ...PULL_FLAGS, scan: { type: "string", multiple: true } },
  async run(names, values) {
    const folders = list(values, "scan");
    if (names.length + folders.length === 0)
      throw new WaybillError("say what to pull", { mend: "an image, a list, or --scan FOLDER" });
    return await pullInto(merged([...(await wantedOf(names)), ...(await scannedIn(folders))]), values);
  },
};
