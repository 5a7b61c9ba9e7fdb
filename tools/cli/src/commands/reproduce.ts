// nx reproduce: builds the image again from nothing that was cached, and compares digests.

import { buildImage, findImage, recordOfImage } from "@waybill/image";
import { type ImageRecord, type PlatformRecord } from "@waybill/oci";
import { type Command, only } from "../command.ts";
import { shortDigest } from "../format.ts";
import { BuildProgress } from "../progress.ts";
import { stopSignal } from "../stop.ts";

export const command: Command = {
  summary: "builds an image again without caches and confirms its digest",
  usage: "<image>",
  options: {},
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const record = await recordOfImage(image);
    const { onLine } = new BuildProgress(values["verbose"] === true);
    const platforms = record.platforms.map(({ platform }) => platform);
    const variants = Object.keys(record.variants);
    const options = { platforms, variants, onLine, signal: stopSignal() };
    const again = await buildImage(image, { noCache: true, keepRecord: true, ...options });
    const differing = differences(record, again);
    if (differing.length === 0) console.log(`${image.name}: ${record.digest} confirmed`);
    for (const line of differing) console.log(`${image.name}: ${line}`);
    return differing.length === 0 ? 0 : 1;
  },
};

function differences(record: ImageRecord, again: ImageRecord): string[] {
  const lines = record.platforms.flatMap((platform, index) => ofPlatform(platform, again.platforms[index]));
  for (const [name, { digest }] of Object.entries(record.variants)) {
    if (again.variants[name]?.digest !== digest) lines.push(`the variant ${name} came out differently`);
  }
  if (lines.length === 0 && record.digest !== again.digest) lines.push(`${record.digest} became ${again.digest}`);
  return lines;
}

function ofPlatform(before: PlatformRecord, after: PlatformRecord | undefined): string[] {
  if (after === undefined || before.digest === after.digest) return [];
  const layers = before.layers.flatMap((layer, index) => {
    const other = after.layers[index];
    return other?.digest === layer.digest
      ? []
      : [
          `${before.platform}: layer ${shortDigest(layer.digest)} became ${other === undefined ? "nothing" : shortDigest(other.digest)}: ${layer.createdBy.slice(0, 100)}`,
        ];
  });
  return layers.length > 0 ? layers : [`${before.platform}: the same layers, another configuration`];
}
