// nx build-args: the build args of an image, KEY=VALUE a line and nothing else, for scripts and workflows. For an image with a Dockerfile
// here the target image comes along, as NKP's Makefiles have it; an upstream Dockerfile is given what it knows and no more.

import { findImage } from "@waybill/image";
import { type Command, only } from "../command.ts";
import { imageValues } from "./image-values.ts";

export const command: Command = {
  summary: "prints build args and target image, KEY=VALUE a line",
  usage: "<image>",
  options: {},
  async run(positionals) {
    const image = await findImage(only(positionals, "image"));
    const target = image.metadata.source === undefined ? await imageValues(image) : {};
    for (const [key, value] of Object.entries({ ...image.metadata.buildArgs, ...target })) {
      console.log(`${key}=${value}`);
    }
    return 0;
  },
};
