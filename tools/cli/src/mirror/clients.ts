// waybill mirror clients: what containerd, podman, docker and BuildKit read so that they ask the mirror first.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readMirror } from "@waybill/mirror/backend";
import { CLIENTS, merged } from "@waybill/mirror/clients";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { type Command, type Values, text } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

const NAMES = Object.keys(CLIENTS);

export const command: Command = {
  summary: `settings for ${NAMES.join(", ")}`,
  usage: "[client]…",
  options: { ...DIR, out: { type: "string" }, url: { type: "string" } },
  async run(names, values) {
    const settings = await settingsOf(names.length === 0 ? NAMES : names, values);
    const out = text(values, "out");
    const files = settings.flatMap(({ files: each }) => Object.entries(each));
    if (out === undefined) for (const [path, content] of files) console.log(`==> /${path}\n${content}`);
    else await writeAll(out, files);
    for (const { name, notes } of settings) for (const note of notes) console.error(`${name}: ${note}`);
    return 0;
  },
};

interface Named {
  name: string;
  files: Record<string, string>;
  notes: string[];
}

/** @throws {WaybillError} no mirror is set up, or there is no such client */
async function settingsOf(names: readonly string[], values: Values): Promise<Named[]> {
  const folder = folderOf(values);
  const url = text(values, "url");
  if (url !== undefined && !/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw new WaybillError(`--url ${url} is no address of a registry`, { mend: "write http://host:port" });
  const mirror = await readMirror(folder, url);
  if (mirror === undefined) {
    throw new WaybillError("there is no mirror yet", { where: folder, mend: "npx waybill mirror setup" });
  }
  return names.map((name) => {
    const client = CLIENTS[name];
    if (client === undefined) throw new WaybillError(`unknown client "${name}"`, { mend: `use ${NAMES.join(", ")}` });
    return { name, ...client(mirror) };
  });
}

/** Below `out` (/ for this machine). All is read before anything is written. */
async function writeAll(out: string, files: readonly [string, string][]): Promise<void> {
  const texts: [string, string][] = [];
  for (const [path, ours] of files) {
    const file = join(out, path);
    const there = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw new WaybillError(`can't be read (${error.code})`, { where: file });
    });
    texts.push([file, merged(there, ours, file)]);
  }
  for (const [file, content] of texts) {
    await writeFileAtomic(file, content);
    console.log(file);
  }
}
