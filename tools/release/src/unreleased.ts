// Charts on main must name images that can be pulled: a default tag that no release made is a chart that doesn't install.

import { relative } from "node:path";
import { findCharts, valuesFile } from "@waybill/chart";
import { tagsOf } from "./git.ts";
import { ownRepositories } from "./packages.ts";
import { gitTag } from "./publish-plan.ts";

export interface Unreleased {
  /** "charts/waybill/values.yaml:12". */
  where: string;
  image: string;
  tag: string;
  /** What the image's package.json says, which the next publish releases. */
  version: string;
}

/** @returns every default of a chart that names one of this repo's images by a tag that is neither released nor about to be */
export async function unreleased(root: string, registry: string): Promise<Unreleased[]> {
  const images = await ownRepositories(root, registry);
  const tags = await tagsOf(root);
  const found: Unreleased[] = [];
  for (const chart of findCharts(root)) {
    for (const { repository, tag, line } of chart.images) {
      const image = images.get(repository);
      if (image === undefined || tag === undefined || tag === image.version) continue;
      if (tags.has(gitTag({ package: image.package, version: tag }))) continue;
      found.push({
        where: `${relative(root, valuesFile(chart.folder))}:${line}`,
        image: image.name,
        tag,
        version: image.version,
      });
    }
  }
  return found;
}
