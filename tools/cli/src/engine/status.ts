// waybill engine status: whether it is installed, and whether it runs.

import { embeddedIsInstalled, engineAnswers } from "@waybill/engine";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "whether it is installed, and whether it runs",
  usage: "",
  options: {},
  async run() {
    const installed = embeddedIsInstalled() ? "installed" : "not installed";
    console.log(`${installed}, ${(await engineAnswers()) ? "running" : "not running"}`);
    return 0;
  },
};
