// waybill engine install: its programs into the cache folder.

import { embeddedPaths, installEmbedded } from "@waybill/engine";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "installs its programs; the first build does it too",
  usage: "",
  options: {},
  async run() {
    await installEmbedded((line) => console.log(`waybill: ${line}`));
    console.log(`installed in ${embeddedPaths().root}`);
    return 0;
  },
};
