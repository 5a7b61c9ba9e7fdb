// waybill lock <image>: pins the newest of what the image takes from upstream, and shows what moved.

import { type Image, findImages } from "@waybill/image";
import { type Change, checkLock, checkNpmLock, formatChanges } from "@waybill/lock";
import { WaybillError } from "@waybill/oci";
import { type Command, list } from "../command.ts";
import { externalBases, hasNpmLock, pin } from "../pin.ts";

export const command: Command = {
  summary: "pins the newest of what an image takes from upstream (all images when none is named)",
  usage: "[image ...]",
  options: { platform: { type: "string", multiple: true }, "dry-run": { type: "boolean" }, check: { type: "boolean" } },
  async run(positionals, values) {
    const images = await chosen(positionals);
    if (values["check"] === true) return check(images);
    const platforms = list(values, "platform");
    const dryRun = values["dry-run"] === true;
    const all: Record<string, Change[]> = {};
    const onProgress = (line: string): void => console.error(line);
    for (const image of images) {
      const { changes } = await pin(image, { platforms, dryRun, onProgress });
      all[image.name] = changes;
      if (values["json"] !== true) show(image.name, changes);
    }
    if (values["json"] === true) console.log(JSON.stringify(all));
    return 0;
  },
};

async function check(images: Image[]): Promise<0 | 1> {
  let count = 0;
  for (const image of images) {
    const findings = await checkLock(image.folder, { externalBases: externalBases(image) });
    if (hasNpmLock(image)) findings.push(...(await checkNpmLock(image.folder)));
    for (const { file, message } of findings) console.log(`${file}: ${message}: npx waybill lock ${image.name}`);
    count += findings.length;
  }
  if (count === 0) console.log(`${images.length} images: locks hold what is declared`);
  return count > 0 ? 1 : 0;
}

function show(name: string, changes: Change[]): void {
  console.log(changes.length === 0 ? `${name}: up to date` : `${name}:\n${formatChanges(changes)}`);
}

/** Those named, else all; bases first, because what a base's lock holds, the images on it leave out. */
async function chosen(names: string[]): Promise<Image[]> {
  const images = await findImages();
  const unknown = names.find((name) => !images.has(name));
  if (unknown !== undefined)
    throw new WaybillError(`there is no image "${unknown}"`, {
      mend: `the images are ${[...images.keys()].sort().join(", ")}`,
    });
  const sorted: Image[] = [];
  const visit = (image: Image): void => {
    if (sorted.includes(image)) return;
    for (const { on } of Object.values(image.metadata.packages)) {
      const base = on === undefined ? undefined : images.get(on);
      if (base !== undefined) visit(base);
    }
    sorted.push(image);
  };
  for (const image of images.values()) visit(image);
  return names.length === 0 ? sorted : sorted.filter(({ name }) => names.includes(name));
}
