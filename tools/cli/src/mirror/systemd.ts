// waybill mirror systemd: units for the registry and its nightly sync, and thirty days of logs.

import { homedir } from "node:os";
import { join } from "node:path";
import { workspaceRoot } from "@waybill/image/workspace";
import { mirrorFolder, readMirror } from "@waybill/mirror/backend";
import { systemdFiles } from "@waybill/mirror/systemd";
import { writeFileAtomic } from "@waybill/oci";
import { loadConfig, serverProcess } from "@waybill/registry";
import { type Command, type Values, text } from "../command.ts";
import { DIR } from "./folder.ts";

/** As the FHS has it for a service's data. */
const SYSTEM_FOLDER = "/var/lib/waybill-mirror";

export const command: Command = {
  summary: "units for systemd: the registry, its nightly sync, 30 days of logs",
  usage: "",
  options: { ...DIR, user: { type: "boolean" }, print: { type: "boolean" }, out: { type: "string" } },
  async run(_arguments, values) {
    const user = values["user"] === true;
    const folder = user ? mirrorFolder(text(values, "dir")) : systemFolder(values);
    const other = ((await readMirror(folder))?.name ?? "waybill") !== "waybill";
    const cwd = workspaceRoot();
    const waybill = [process.execPath, join(import.meta.dirname, "../waybill.ts")];
    const { files, next } = systemdFiles({
      folder,
      user,
      server: other ? undefined : serverProcess(folder),
      sync: { argv: [...waybill, "mirror", "sync", "--dir", folder], cwd },
    });
    const out = text(values, "out") ?? (user ? homedir() : "/");
    for (const [path, content] of Object.entries(files)) {
      if (values["print"] === true) console.log(`==> ${join(out, path)}\n${content}`);
      else {
        await writeFileAtomic(join(out, path), content);
        console.log(join(out, path));
      }
    }
    if ((await loadConfig(folder)).lists.length === 0)
      console.error(
        `the sync has nothing to bring yet: write "lists": ["inference"] into ${join(folder, "config.json")}`,
      );
    console.error(`then:\n${next.map((line) => `  ${line}`).join("\n")}`);
    return 0;
  },
};

const systemFolder = (values: Values): string =>
  mirrorFolder(text(values, "dir") ?? process.env["WAYBILL_MIRROR_DIR"] ?? SYSTEM_FOLDER);
