// waybill schema: writes the JSON Schemas that editors use; --check fails where they drifted from the code.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectFile, workspaceRoot } from "@waybill/image";
import { writeFileAtomic } from "@waybill/oci";
import { z } from "zod";
import { type Command } from "../command.ts";

const FILE = "tools/image/schema/project.schema.json";

export const command: Command = {
  summary: "writes the JSON Schema of project.json; --check fails where it drifted",
  usage: "",
  options: { check: { type: "boolean" } },
  async run(_positionals, values) {
    const path = join(workspaceRoot(), FILE);
    const text = `${JSON.stringify(z.toJSONSchema(projectFile, { io: "input" }), null, 2)}\n`;
    if (values["check"] !== true) await writeFileAtomic(path, text);
    else if ((await readFile(path, "utf8").catch(() => "")) !== text) {
      console.log(`${FILE} drifted from the code: run \`npx waybill schema\``);
      return 1;
    }
    return 0;
  },
};
