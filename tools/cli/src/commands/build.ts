// waybill build <image>: the docker-build target.

import { buildImage } from "@waybill/image/build";
import { findImage } from "@waybill/image/image";
import { withSource } from "@waybill/image/source";
import { askedOf } from "@waybill/image/variants";
import { type Command, list, only, pairs, text } from "../command.ts";
import { formatBytes, formatSeconds, shortDigest } from "@waybill/format";
import { BuildProgress } from "../progress.ts";
import { stopSignal } from "../stop.ts";

export const command: Command = {
  summary: "builds an image and leaves its record in dist/image.json",
  usage: "<image>",
  options: {
    platform: { type: "string", multiple: true },
    variant: { type: "string", multiple: true },
    "build-arg": { type: "string", multiple: true },
    secret: { type: "string", multiple: true },
    "source-repo": { type: "string" },
    "source-version": { type: "string" },
    "no-cache": { type: "boolean" },
    "frozen-lock": { type: "boolean" },
  },
  async run(positionals, values) {
    const started = performance.now();
    const declared = await findImage(only(positionals, "image"));
    const { onLine } = new BuildProgress(values["verbose"] === true);
    const signal = stopSignal();
    const override = { repository: text(values, "source-repo"), version: text(values, "source-version") };
    const image = await withSource(declared, override, { onLine, signal });
    if (values["frozen-lock"] === true) process.env["WAYBILL_FROZEN_LOCK"] = "1";
    const platforms = list(values, "platform");
    const record = await buildImage(image, {
      platforms: platforms.length > 0 ? platforms : undefined,
      variants: [...list(values, "variant"), ...(await askedOf(image))],
      buildArgs: pairs(values, "build-arg"),
      secrets: pairs(values, "secret"),
      noCache: values["no-cache"] === true,
      onLine,
      signal,
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
