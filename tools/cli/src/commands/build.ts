// waybill build <image>: the docker-build target.

import { buildImage } from "@waybill/image/build";
import { findImage } from "@waybill/image/image";
import { type Command, list, only, pairs } from "../command.ts";
import { formatBytes, formatSeconds, shortDigest } from "../format.ts";
import { BuildProgress } from "../progress.ts";
import { stopSignal } from "../stop.ts";

export const command: Command = {
  summary: "builds an image and leaves its record in dist/image.json",
  usage: "<image>",
  options: {
    platform: { type: "string", multiple: true },
    "build-arg": { type: "string", multiple: true },
    secret: { type: "string", multiple: true },
    "no-cache": { type: "boolean" },
    "frozen-lock": { type: "boolean" },
  },
  async run(positionals, values) {
    const image = await findImage(only(positionals, "image"));
    const started = performance.now();
    if (values["frozen-lock"] === true) process.env["WAYBILL_FROZEN_LOCK"] = "1";
    const platforms = list(values, "platform");
    const record = await buildImage(image, {
      platforms: platforms.length > 0 ? platforms : undefined,
      buildArgs: pairs(values, "build-arg"),
      secrets: pairs(values, "secret"),
      noCache: values["no-cache"] === true,
      onLine: new BuildProgress(values["verbose"] === true).onLine,
      signal: stopSignal(),
    });
    if (values["json"] === true) console.log(JSON.stringify(record));
    for (const { platform, size, unpackedSize } of values["json"] === true ? [] : record.platforms) {
      const sizes = `${formatBytes(size)} compressed, ${formatBytes(unpackedSize)} unpacked`;
      console.log(
        `${image.name} ${shortDigest(record.digest)} ${platform}: ${sizes}, ${formatSeconds(performance.now() - started)}`,
      );
    }
    return 0;
  },
};
