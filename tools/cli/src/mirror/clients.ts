// waybill mirror clients: what containerd, podman, docker and BuildKit read so that they ask the mirror first.

import { join } from "node:path";
import { readMirror } from "@waybill/mirror/backend";
import { CLIENTS } from "@waybill/mirror/clients";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { type Command, text } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

const NAMES = Object.keys(CLIENTS);

export const command: Command = {
  summary: `settings for ${NAMES.join(", ")}`,
  usage: "[client]…",
  options: { ...DIR, out: { type: "string" } },
  async run(names, values) {
    const folder = folderOf(values);
    const mirror = await readMirror(folder);
    if (mirror === undefined) {
      throw new WaybillError("there is no mirror yet", { where: folder, mend: "npx waybill mirror setup" });
    }
    const out = text(values, "out");
    for (const name of names.length === 0 ? NAMES : names) {
      const client = CLIENTS[name];
      if (client === undefined) throw new WaybillError(`unknown client "${name}"`, { mend: `use ${NAMES.join(", ")}` });
      const { files, notes } = client(mirror);
      for (const [path, content] of Object.entries(files)) await put(out, path, content);
      for (const note of notes) console.error(`${name}: ${note}`);
    }
    return 0;
  },
};

/** Below `--out` (/ for this machine), or to be read. */
async function put(out: string | undefined, path: string, content: string): Promise<void> {
  if (out === undefined) return console.log(`==> /${path}\n${content}`);
  await writeFileAtomic(join(out, path), content);
  console.log(join(out, path));
}
