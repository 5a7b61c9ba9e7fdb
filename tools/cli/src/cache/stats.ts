// waybill cache stats: how much of what is in it.

import { type CacheStats, listCache, statsOf } from "@waybill/cache";
import { formatBytes, formatTable } from "@waybill/format";
import type { Command } from "../command.ts";
import { openCache } from "./repositories.ts";

export const command: Command = {
  summary: "how much of what is in it, and since when",
  usage: "",
  options: {},
  async run(_arguments, values) {
    const { client, repositories } = await openCache();
    const all: CacheStats[] = [];
    for (const repository of repositories) all.push(statsOf(await listCache(client, repository)));
    if (values["json"] === true) console.log(JSON.stringify(all));
    else for (const each of all) console.log(describe(client.registry, each));
    return 0;
  },
};

function describe(registry: string, { repository, targets, images, imageSize, ...times }: CacheStats): string {
  const name = `${registry}/${repository}`;
  if (targets.length === 0) return `${name}: empty`;
  const rows = targets.map(({ target, entries, size }) => [target || "(unknown)", String(entries), formatBytes(size)]);
  const from = `${times.oldest?.slice(0, 10)} to ${times.newest?.slice(0, 10)}`;
  const table = formatTable(["target", "entries", "size"], rows, [1, 2]).replaceAll(/^/gm, "  ");
  return `${name}: ${images} images, ${formatBytes(imageSize)}; entries from ${from}\n${table}`;
}
