// nx test of a tool: its vitest files.

import { resolve } from "node:path";
import { type Command, only } from "../command.ts";
import { leaveCounts, runVitest } from "../vitest.ts";

export const command: Command = {
  summary: "runs the vitest files of a folder and leaves the counts in its dist/test.json",
  usage: "<folder>",
  options: {},
  async run(positionals) {
    const folder = resolve(only(positionals, "folder"));
    return leaveCounts(folder, await runVitest(folder));
  },
};
