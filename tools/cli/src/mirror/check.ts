// waybill mirror check: answers for scripts, a line on stdout and exit code 1 for no.

import { type Backend, clientOf, findMirror, locate, readMirror } from "@waybill/mirror/backend";
import { WaybillError, parseReference } from "@waybill/oci";
import type { Command } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

export const command: Command = {
  summary: "answers for scripts, by exit code too",
  usage: "URL|EXISTS|DIR|IMAGE_EXISTS <image>",
  options: DIR,
  async run([what = "EXISTS", image], values) {
    return await check(folderOf(values), what, image);
  },
};

async function check(folder: string, what: string, image: string | undefined): Promise<0 | 1> {
  if (what === "DIR") return say((await readMirror(folder)) !== undefined, folder);
  const mirror = await findMirror(folder);
  if (what === "URL") return say(mirror !== undefined, mirror?.url ?? "");
  if (what === "EXISTS") return say(mirror !== undefined, String(mirror !== undefined));
  if (what !== "IMAGE_EXISTS" || image === undefined)
    throw new WaybillError(`unknown check "${what}"`, { mend: "use URL, EXISTS, DIR or IMAGE_EXISTS <image>" });
  const found = mirror !== undefined && (await holdsImage(mirror, image));
  return say(found, String(found));
}

function say(yes: boolean, answer: string): 0 | 1 {
  if (yes || answer === "false") console.log(answer);
  return yes ? 0 : 1;
}

/** Through the mirror: what it can fetch exists too. */
async function holdsImage(mirror: Backend, image: string): Promise<boolean> {
  const found = locate(mirror, parseReference(image));
  if (found === undefined) return false;
  const { repository, tag = "latest", digest } = found;
  return (await clientOf(mirror, found).headManifest(repository, digest ?? tag)) !== undefined;
}
