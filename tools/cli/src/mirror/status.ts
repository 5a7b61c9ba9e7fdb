// waybill mirror status: what it holds, and which upstream does not answer.

import { formatBytes } from "@waybill/format";
import { command as ask } from "@waybill/registry";
import type { Command } from "../command.ts";
import { DIR, folderOf } from "./folder.ts";

export const command: Command = {
  summary: "what it holds, and which upstream does not answer",
  usage: "",
  options: DIR,
  async run(_arguments, values) {
    const status = (await ask(folderOf(values), "status")) as Status | undefined;
    if (values["json"] === true) console.log(JSON.stringify(status ?? null));
    else console.log(status === undefined ? "not running" : describe(status));
    return status === undefined ? 1 : 0;
  },
};

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
