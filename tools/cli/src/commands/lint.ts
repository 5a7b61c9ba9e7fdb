// nx lint of an image: its Dockerfile, its declarations, and what was built from it.

import { ensureBytes, findImage, readableImages, recordOfImage, store } from "@waybill/image";
import { formatFinding, lintImage } from "@waybill/lint";
import { type Command, only } from "../command.ts";

export const command: Command = {
  summary: "checks an image's Dockerfile and what was built from it",
  usage: "<image>",
  options: {},
  async run(positionals, values) {
    const name = only(positionals, "image");
    const image = await findImage(name);
    const images = await readableImages();
    const record = await recordOfImage(image);
    await ensureBytes(image, record);
    const findings = await lintImage(image, { images, record, store: store() });
    if (values["json"] === true) console.log(JSON.stringify(findings));
    else for (const finding of findings) console.log(formatFinding(finding));
    if (findings.length === 0 && values["json"] !== true) console.log(`${name}: no findings`);
    return findings.some(({ severity }) => severity !== "info") ? 1 : 0;
  },
};
