// waybill mirror sync: what the mirror's lists want, and which of their tags name another image now. The nightly timer runs it.

import { loadConfig } from "@waybill/registry";
import type { Command } from "../command.ts";
import { folderOf } from "./folder.ts";
import { PULL_FLAGS, pullInto, wantedOf } from "./pulling.ts";

export const command: Command = {
  summary: "pulls what its lists want anew, and says which tags moved",
  usage: "[<list>…]",
  options: PULL_FLAGS,
  async run(names, values) {
    if (names.length > 0) return await pullInto(await wantedOf(names), values);
    const folder = folderOf(values);
    const { lists } = await loadConfig(folder);
    if (lists.length > 0) return await pullInto(await wantedOf(lists, folder), values);
    // No failure: the timer runs it every night, whether there are any or not.
    console.error(`nothing to sync, ${folder}: name a list, or write "lists": ["inference"] into its config.json`);
    return 0;
  },
};
