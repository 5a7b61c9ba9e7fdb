// waybill engine prune: frees its build cache.

import { pruneEmbedded } from "@waybill/engine";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "frees its build cache",
  usage: "",
  options: {},
  async run() {
    console.log(await pruneEmbedded());
    return 0;
  },
};
