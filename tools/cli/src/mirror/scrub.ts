// waybill mirror scrub: reads every blob, and fetches again what rotted.

import { formatBytes } from "@waybill/format";
import type { Command } from "../command.ts";
import { DIR, askRunning, ourFolderOf } from "./folder.ts";

export const command: Command = {
  summary: "reads every blob, and fetches again what rotted",
  usage: "",
  options: DIR,
  async run(_arguments, values) {
    const done = (await askRunning(await ourFolderOf(values), "scrub")) as Scrubbed;
    if (values["json"] === true) console.log(JSON.stringify(done));
    else {
      for (const digest of done.lost) console.log(`lost: ${digest}`);
      const { blobs, read, damaged, lost } = done;
      console.log(`read ${blobs} blobs, ${formatBytes(read)}: ${damaged.length} damaged, ${lost.length} lost`);
    }
    return done.lost.length === 0 ? 0 : 1;
  },
};

interface Scrubbed {
  blobs: number;
  /** Bytes. */
  read: number;
  damaged: string[];
  lost: string[];
}
