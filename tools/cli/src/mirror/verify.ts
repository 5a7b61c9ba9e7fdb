// waybill mirror verify: whether a bundle that travelled is what was archived. Asks no network.

import { findDamage, openBundle, readImages, sizeOfBundle } from "@waybill/bundle";
import { formatBytes } from "@waybill/format";
import { type Command, only } from "../command.ts";
import { BundleProgress } from "./bundle-progress.ts";

export const command: Command = {
  summary: "reads every byte of a bundle: whether it is what was archived",
  usage: "<bundle>",
  options: {},
  async run(names, values) {
    const path = only(names, "bundle");
    const bundle = await openBundle(path);
    try {
      const images = await readImages(bundle);
      const size = sizeOfBundle(bundle);
      const progress = new BundleProgress("verified", size, values["json"] === true);
      const damage = await findDamage(bundle, progress.onBytes).finally(() => progress.end());
      const { lockDigest, blobs } = bundle;
      if (values["json"] === true) {
        const references = images.map(({ image }) => image.reference);
        console.log(
          JSON.stringify({ schemaVersion: 1, lock: lockDigest, images: references, blobs: blobs.size, size, damage }),
        );
      } else {
        for (const each of damage) console.log(`damaged: ${each}`);
        const found = damage.length === 0 ? "sound" : `${damage.length} damaged: copy the bundle again`;
        console.log(`${path}: ${images.length} images, ${blobs.size} blobs, ${formatBytes(size)}, ${found}`);
      }
      return damage.length === 0 ? 0 : 1;
    } finally {
      await bundle.close();
    }
  },
};
