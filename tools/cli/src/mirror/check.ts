// waybill mirror check: answers for scripts, a line on stdout and exit code 1 for no.

import { WaybillError, parseReference } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { findRunning } from "@waybill/registry";
import type { Command } from "../command.ts";
import { DIR, folderOf, holdsRegistry } from "./folder.ts";

export const command: Command = {
  summary: "answers for scripts, by exit code too",
  usage: "URL|EXISTS|DIR|IMAGE_EXISTS <image>",
  options: DIR,
  async run([what = "EXISTS", image], values) {
    return await check(folderOf(values), what, image);
  },
};

async function check(folder: string, what: string, image: string | undefined): Promise<0 | 1> {
  const running = await findRunning(folder);
  if (what === "DIR") return say(await holdsRegistry(folder), folder);
  if (what === "URL") return say(running !== undefined, running?.url ?? "");
  if (what === "EXISTS") return say(running !== undefined, String(running !== undefined));
  if (what !== "IMAGE_EXISTS" || image === undefined)
    throw new WaybillError(`unknown check "${what}"`, { mend: "use URL, EXISTS, DIR or IMAGE_EXISTS <image>" });
  const found = running !== undefined && (await holdsImage(new URL(running.url).host, image));
  return say(found, String(found));
}

function say(yes: boolean, answer: string): 0 | 1 {
  if (yes || answer === "false") console.log(answer);
  return yes ? 0 : 1;
}

/** Through the mirror: what it can fetch exists too. */
async function holdsImage(host: string, image: string): Promise<boolean> {
  const { registry, repository, tag = "latest", digest } = parseReference(image);
  const name = isOurs(registry, host) ? repository : `${registry}/${repository}`;
  return (await new RegistryClient(host).headManifest(name, digest ?? tag)) !== undefined;
}

/** This machine has several names. */
function isOurs(registry: string, host: string): boolean {
  const port = `:${host.split(":").at(-1)}`;
  return registry === host || ["localhost", "127.0.0.1", "[::1]"].some((name) => registry === name + port);
}
