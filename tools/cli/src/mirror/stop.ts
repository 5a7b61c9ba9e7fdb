// waybill mirror stop: after what it is sending has been sent.

import { halt } from "@waybill/registry";
import type { Command } from "../command.ts";
import { DIR, ourFolderOf } from "./folder.ts";

export const command: Command = {
  summary: "stops it",
  usage: "",
  options: DIR,
  async run(_arguments, values) {
    console.log((await halt(await ourFolderOf(values))) ? "stopped" : "it was not running");
    return 0;
  },
};
