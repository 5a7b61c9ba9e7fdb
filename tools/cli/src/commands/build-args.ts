// nx build-args: the build args of an image, KEY=VALUE a line and nothing else, for scripts and workflows.

import { findImage } from "@waybill/image";
import { type Command, only } from "../command.ts";
import { imageValues } from "./image-values.ts";

export const command: Command = {
  summary: "prints build args and target image, KEY=VALUE a line",
  usage: "<image>",
  options: {},
  async run(positionals) {
    const image = await findImage(only(positionals, "image"));
    for (const [key, value] of Object.entries({ ...image.metadata.buildArgs, ...(await imageValues(image)) })) {
      console.log(`${key}=${value}`);
    }
    return 0;
  },
};
