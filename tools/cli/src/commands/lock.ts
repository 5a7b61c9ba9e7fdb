// waybill lock <image>: pins the newest of what the image takes from upstream, and shows what moved.

import { findImage, findImages, readDockerfile, SCOPE } from "@waybill/image";
import { type Change, checkLock, formatChanges, refreshLock } from "@waybill/lock";
import { edgesOf } from "@waybill/dockerfile";
import { type Command, list } from "../command.ts";

export const command: Command = {
  summary: "pins the newest of what an image takes from upstream (all images when none is named)",
  usage: "[image ...]",
  options: { platform: { type: "string", multiple: true }, "dry-run": { type: "boolean" }, check: { type: "boolean" } },
  async run(positionals, values) {
    const images = positionals.length > 0 ? await Promise.all(positionals.map((name) => findImage(name))) : await inOrder();
    const changed: Record<string, Change[]> = {};
    const findings: string[] = [];
    const platforms = list(values, "platform");
    for (const image of images) {
      const externalBases = edgesOf(readDockerfile(image), image.metadata.buildArgs)
        .map(({ reference }) => reference)
        .filter((reference) => !reference.startsWith(SCOPE) && !/^(packages|unpacked|files)-/.test(reference));
      if (values["check"] === true) {
        findings.push(...(await checkLock(image.folder, { externalBases })).map(({ file, message }) => `${file}: ${message}`));
        continue;
      }
      const { changes } = await refreshLock(image.folder, {
        externalBases,
        dryRun: values["dry-run"] === true,
        ...(platforms.length > 0 ? { platforms } : {}),
        onProgress: (line) => console.error(line),
      });
      changed[image.name] = changes;
    }
    for (const finding of findings) console.log(finding);
    if (values["json"] === true) console.log(JSON.stringify(changed));
    else for (const [name, changes] of Object.entries(changed)) show(name, changes);
    return findings.length > 0 ? 1 : 0;
  },
};

function show(name: string, changes: Change[]): void {
  console.log(changes.length === 0 ? `${name}: up to date` : `${name}:\n${formatChanges(changes)}`);
}

/** Bases first: what a base holds, the images on it leave out. */
async function inOrder() {
  const images = [...(await findImages()).values()];
  const depth = (folder: string): number => (folder.includes("/bases/debian") ? 0 : folder.includes("/bases/") ? 1 : 2);
  return images.sort((a, b) => depth(a.folder) - depth(b.folder) || a.name.localeCompare(b.name));
}
