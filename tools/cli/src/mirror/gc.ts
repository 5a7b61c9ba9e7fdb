// waybill mirror gc: drops what the policies of its settings no longer keep.

import { formatBytes } from "@waybill/format";
import type { Command } from "../command.ts";
import { DIR, askRunning, ourFolderOf } from "./folder.ts";

export const command: Command = {
  summary: "drops what its policies no longer keep",
  usage: "",
  options: { ...DIR, "dry-run": { type: "boolean" } },
  async run(_arguments, values) {
    const dryRun = values["dry-run"] === true;
    const done = (await askRunning(await ourFolderOf(values), "gc", { dryRun: String(dryRun) })) as Swept;
    if (values["json"] === true) console.log(JSON.stringify(done));
    else {
      for (const each of done.removed) console.log(each);
      console.log(`${dryRun ? "would free" : "freed"} ${formatBytes(done.freed)} in ${done.blobs} blobs`);
    }
    return 0;
  },
};

interface Swept {
  removed: string[];
  blobs: number;
  /** Bytes. */
  freed: number;
}
