// waybill engine stop: afterwards the cache folder can be deleted, by buildah too.

import { releaseBuildah, stopEmbedded } from "@waybill/engine";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "stops it",
  usage: "",
  options: {},
  async run() {
    const ran = await stopEmbedded();
    await releaseBuildah();
    console.log(ran ? "stopped" : "it was not running");
    return 0;
  },
};
