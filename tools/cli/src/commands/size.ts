// nx size: sizes against the budget, with the layer each byte is in. The gate: exit 1 when a budget is broken.

import { contextFiles, readIgnore } from "@waybill/dockerfile";
import { type Image, findImage, recordOfImage } from "@waybill/image";
import type { PlatformRecord } from "@waybill/oci";
import { type Command, only } from "../command.ts";
import { formatBytes, formatPercent, formatTable, shortDigest } from "@waybill/format";

interface Check {
  what: string;
  bytes: number;
  budget: number | undefined;
}

export const command: Command = {
  summary: "compares an image's sizes with its budget, layer by layer",
  usage: "<image>",
  options: {},
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const { platforms } = await recordOfImage(image);
    const context = await contextCheck(image);
    const checks = [
      ...platforms.flatMap((platform) => checksOf(image, platform)),
      ...(context === undefined ? [] : [context]),
    ];
    if (values["json"] === true) console.log(JSON.stringify({ image: image.name, checks, platforms }));
    else show(platforms, checks);
    const broken = checks.filter(({ bytes, budget }) => budget !== undefined && bytes > budget);
    for (const { what, bytes, budget } of broken) {
      console.log(
        `${image.name}: ${what} is ${formatBytes(bytes)}, ${formatBytes(bytes - (budget as number))} over its budget of ${formatBytes(budget as number)}`,
      );
    }
    return broken.length > 0 ? 1 : 0;
  },
};

function checksOf({ metadata: { budget } }: Image, { platform, size, unpackedSize }: PlatformRecord): Check[] {
  return [
    { what: `${platform} compressed`, bytes: size, budget: budget.compressed },
    { what: `${platform} unpacked`, bytes: unpackedSize, budget: budget.unpacked },
  ];
}

async function contextCheck({ folder, metadata }: Image): Promise<Check | undefined> {
  // Upstream's is upstream's; and its files need not be on this machine.
  if (metadata.source !== undefined) return undefined;
  const files = await contextFiles(folder, await readIgnore(folder));
  return {
    what: "build context",
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    budget: metadata.budget.context,
  };
}

function show(platforms: PlatformRecord[], checks: Check[]): void {
  for (const { platform, layers } of platforms) {
    const rows = layers.map((layer) => [
      shortDigest(layer.digest),
      formatBytes(layer.size),
      formatBytes(layer.unpackedSize),
      layer.createdBy.replace(/\s+/g, " ").slice(0, 90),
    ]);
    console.log(`${platform}\n${formatTable(["layer", "compressed", "unpacked", "made by"], rows, [1, 2])}\n`);
  }
  const rows = checks.map(({ what, bytes, budget }) => [
    what,
    formatBytes(bytes),
    budget === undefined ? "-" : formatBytes(budget),
    budget === undefined ? "-" : formatPercent(bytes, budget),
  ]);
  console.log(formatTable(["", "size", "budget", "used"], rows, [1, 2, 3]));
}
