// waybill edges: do package.json dependencies say what the Dockerfiles say? --fix makes them.

import { findImages } from "@waybill/image";
import { edgeDifferences, edgeFacts, edgeFinding, fixEdges, formatFinding } from "@waybill/lint";
import type { Command } from "../command.ts";

export const command: Command = {
  summary: "compares package.json dependencies with the Dockerfiles; --fix mends them",
  usage: "",
  options: { fix: { type: "boolean" } },
  async run(_positionals, values) {
    const fix = values["fix"] === true;
    const images = await findImages();
    let findings = 0;
    for (const image of images.values()) {
      const facts = await edgeFacts(image, images);
      const differences = await (fix ? fixEdges(facts) : edgeDifferences(facts));
      for (const difference of differences)
        console.log(`${fix ? "mended: " : ""}${formatFinding(edgeFinding(difference))}`);
      findings += fix ? 0 : differences.length;
    }
    if (findings === 0 && !fix) console.log(`${images.size} images: package.json and Dockerfiles agree`);
    return findings > 0 ? 1 : 0;
  },
};
