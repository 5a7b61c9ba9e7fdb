// waybill mirror setup: a folder with the settings, and the usual upstreams.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@waybill/oci";
import { loadConfig, makeConfig } from "@waybill/registry";
import { type Command, text } from "../command.ts";
import { DIR, folderOf, holdsRegistry } from "./folder.ts";

/** Registries that most images come from. */
const UPSTREAMS = [
  "docker.io",
  "gcr.io",
  "ghcr.io",
  "mcr.microsoft.com",
  "public.ecr.aws",
  "quay.io",
  "registry.k8s.io",
];

export const command: Command = {
  summary: "settings and a folder for the mirror; what is there stays",
  usage: "",
  options: { ...DIR, port: { type: "string" } },
  async run(_arguments, values) {
    const folder = folderOf(values);
    const port = Number(text(values, "port") ?? "5000");
    const settings = { ...(await settingsOf(folder)), listen: `127.0.0.1:${port}` };
    makeConfig(settings, folder, join(folder, "config.json"));
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(join(folder, "config.json"), `${JSON.stringify(settings, undefined, 2)}\n`);
    console.log(`set up in ${folder}; start it with: npx waybill mirror start`);
    return 0;
  },
};

/** What is there stays; only a new mirror gets the usual upstreams. */
async function settingsOf(folder: string): Promise<object> {
  const file = join(folder, "config.json");
  if (!(await holdsRegistry(folder))) return { upstreams: Object.fromEntries(UPSTREAMS.map((host) => [host, {}])) };
  await loadConfig(folder);
  return JSON.parse(await readFile(file, "utf8")) as object;
}
