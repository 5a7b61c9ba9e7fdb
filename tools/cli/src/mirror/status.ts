// waybill mirror status: what it holds, and which upstream does not answer.

import { formatBytes } from "@waybill/format";
import { command as ask } from "@waybill/registry";
import { type Backend, findMirror, readMirror } from "@waybill/mirror/backend";
import type { Command, Values } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

export const command: Command = {
  summary: "what it holds, and which upstream does not answer",
  usage: "",
  options: DIR,
  async run(_arguments, values) {
    const mirror = await readMirror(folderOf(values));
    if (mirror !== undefined && mirror.name !== "waybill") return await statusOfOther(mirror, values);
    const status = (await ask(folderOf(values), "status")) as Status | undefined;
    if (values["json"] === true) console.log(JSON.stringify(status ?? null));
    else console.log(status === undefined ? "not running" : describe(status));
    return status === undefined ? 1 : 0;
  },
};

async function statusOfOther({ name, url }: Backend, values: Values): Promise<0 | 1> {
  const answers = (await findMirror(folderOf(values))) !== undefined;
  if (values["json"] === true) console.log(JSON.stringify({ backend: name, url, answers }));
  else console.log(`${name} at ${url} ${answers ? "answers" : "does not answer"}`);
  return answers ? 0 : 1;
}

interface Status {
  url: string;
  repositories: unknown[];
  blobs: number;
  /** Bytes. */
  size: number;
  /** Bytes on the disk. */
  free: number;
  damaged: string[];
  upstreams: { host: string; state: string; failure?: string }[];
}

function describe({ url, repositories, blobs, size, free, damaged, upstreams }: Status): string {
  const lines = [
    `${url}: ${repositories.length} repositories, ${blobs} blobs, ${formatBytes(size)}; ${formatBytes(free)} free`,
    ...upstreams.filter(({ failure }) => failure).map(({ host, state, failure }) => `${host} (${state}): ${failure}`),
    ...damaged.map((digest) => `damaged, and no upstream has it: ${digest}`),
  ];
  return lines.join("\n");
}
