// nx image-values: what the image is called where it is pushed, KEY=VALUE a line and nothing else.

import { join, relative } from "node:path";
import { type Image, findImage } from "@waybill/image";
import { readDocument } from "@waybill/lock";
import { z } from "zod";
import { type Command, only } from "../command.ts";
import { settings } from "../settings.ts";

export const command: Command = {
  summary: "prints the target image and its version, KEY=VALUE a line",
  usage: "<image>",
  options: {},
  async run(positionals) {
    const values = await imageValues(await findImage(only(positionals, "image")));
    for (const [key, value] of Object.entries(values)) console.log(`${key}=${value}`);
    return 0;
  },
};

const packageFile = z.looseObject({ version: z.string() });

export async function imageValues(image: Image): Promise<Record<string, string>> {
  const { version } = await readDocument(relative(process.cwd(), join(image.folder, "package.json")), packageFile);
  const repository = `${(await settings()).registry}/${image.metadata.repository ?? image.name}`;
  return { TARGET_IMAGE: `${repository}:${version}`, TARGET_IMAGE_REPO: repository, TARGET_IMAGE_VERSION: version };
}
