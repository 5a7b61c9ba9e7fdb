// waybill mirror start: in the background, until `stop`.

import { launch } from "@waybill/registry";
import type { Command } from "../command.ts";
import { DIR, ourFolderOf } from "./folder.ts";

export const command: Command = {
  summary: "starts it in the background",
  usage: "",
  options: DIR,
  async run(_arguments, values) {
    const { url, pid } = await launch(await ourFolderOf(values));
    console.log(`${url} (process ${pid}); images of ghcr.io are ${new URL(url).host}/ghcr.io/…`);
    return 0;
  },
};
