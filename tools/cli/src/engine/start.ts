// waybill engine start: in the background, until `stop` or until nobody has built for a while.

import { startEmbedded } from "@waybill/engine";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "starts it in the background; a build does it too",
  usage: "",
  options: {},
  async run() {
    await startEmbedded();
    console.log("running");
    return 0;
  },
};
