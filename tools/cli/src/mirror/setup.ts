// waybill mirror setup: a folder with the settings, and the usual upstreams; or a registry that exists, made the mirror.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  BACKENDS,
  USUAL_UPSTREAMS,
  forgetBackend,
  holdsRegistry,
  readMirror,
  setUpBackend,
} from "@waybill/mirror/backend";
import { WaybillError, writeFileAtomic } from "@waybill/oci";
import { loadConfig, makeConfig } from "@waybill/registry";
import { type Command, type Values, text } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

export const command: Command = {
  summary: "settings and a folder for the mirror; what is there stays",
  usage: "",
  options: {
    ...DIR,
    port: { type: "string" },
    fallback: { type: "string" },
    backend: { type: "string" },
    url: { type: "string" },
    storage: { type: "string" },
  },
  async run(_arguments, values) {
    const folder = folderOf(values);
    const given = text(values, "backend");
    const now = await readMirror(folder);
    const name = BACKENDS.find((each) => each === (given ?? now?.name ?? "waybill"));
    if (name === undefined) throw new WaybillError("unknown backend", { mend: `use one of ${BACKENDS.join(", ")}` });
    if (name === "waybill") {
      await setUpOurs(folder, values);
      console.log(`set up in ${folder}; start it with: npx waybill mirror start`);
      return 0;
    }
    const choice = { backend: name, url: text(values, "url"), storage: text(values, "storage") };
    const { backend, files } = await setUpBackend(folder, choice);
    console.log(`the mirror is ${name} at ${backend.url}; its settings are in ${files}\n${backend.next}`);
    return 0;
  },
};

async function setUpOurs(folder: string, values: Values): Promise<void> {
  const before = await settingsOf(folder);
  const port = text(values, "port");
  const fallback = text(values, "fallback");
  const settings = {
    ...before,
    listen: port === undefined ? (before.listen ?? "127.0.0.1:5000") : `127.0.0.1:${Number(port)}`,
    ...(fallback !== undefined && { fallback }),
  };
  makeConfig(settings, folder, join(folder, "config.json"));
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(settings, undefined, 2)}\n`);
  await forgetBackend(folder);
}

/** What is there stays; only a new mirror gets the usual upstreams. */
async function settingsOf(folder: string): Promise<{ listen?: string }> {
  const file = join(folder, "config.json");
  if (!holdsRegistry(folder))
    return { upstreams: Object.fromEntries(USUAL_UPSTREAMS.map((host) => [host, {}])) } as object;
  await loadConfig(folder);
  return JSON.parse(await readFile(file, "utf8")) as { listen?: string };
}
