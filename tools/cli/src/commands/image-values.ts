// nx image-values: what the image is called where it is pushed, KEY=VALUE a line and nothing else.

import { join, relative } from "node:path";
import { type Image, findImage } from "@waybill/image";
import { readDocument } from "@waybill/lock";
import { z } from "zod";
import { type Command, only, text } from "../command.ts";
import { settings } from "../settings.ts";

export const command: Command = {
  summary: "prints the target image and its version, KEY=VALUE a line",
  usage: "<image>",
  options: { "source-version": { type: "string" } },
  async run(positionals, flags) {
    const values = await imageValues(await findImage(only(positionals, "image")), text(flags, "source-version"));
    for (const [key, value] of Object.entries(values)) console.log(`${key}=${value}`);
    return 0;
  },
};

const packageFile = z.looseObject({ version: z.string() });

/** @param sourceVersion of the upstream repository, in place of the one that is declared */
export async function imageValues(image: Image, sourceVersion?: string): Promise<Record<string, string>> {
  const { metadata, name } = image;
  const upstream = metadata.source && { ...metadata.source, ...(sourceVersion && { version: sourceVersion }) };
  const version = upstream === undefined ? await ownVersion(image) : plainVersion(upstream.version);
  const repository = `${(await settings()).registry}/${metadata.repository ?? name}`;
  return {
    TARGET_IMAGE: `${repository}:${version}`,
    TARGET_IMAGE_REPO: repository,
    TARGET_IMAGE_VERSION: version,
    ...(upstream && { SOURCE_REPO: upstream.repository, SOURCE_VERSION: upstream.version }),
    ...(image.source?.version === upstream?.version && image.source && { SOURCE_COMMIT: image.source.commit }),
  };
}

async function ownVersion({ folder }: Image): Promise<string> {
  return (await readDocument(relative(process.cwd(), join(folder, "package.json")), packageFile)).version;
}

/** As tags of images have it: "1.118.0" for upstream's "v1.118.0", and no character that a tag can't have. */
const plainVersion = (version: string): string => version.replace(/^v(?=\d)/, "").replaceAll(/[^\w.-]/g, "-");
