// waybill lock <image>: pins the newest of what the image takes from upstream, and shows what moved.

import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Image,
  SCOPE,
  assertConsumed,
  findImages,
  imageEdges,
  parseSharedContext,
  readDockerfile,
} from "@waybill/image";
import {
  type Change,
  checkLock,
  checkNpmLock,
  formatChanges,
  parseSetContext,
  refreshLock,
  resolveSource,
  writeNpmLock,
} from "@waybill/lock";
import { WaybillError, parseReference } from "@waybill/oci";
import { RegistryClient } from "@waybill/oci/registry";
import { type Command, list } from "../command.ts";

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
    for (const declared of images) {
      const image = await pinSource(declared, onProgress);
      const { changes } = await refreshLock(image.folder, {
        source: image.source,
        externalBases: externalBases(image),
        resolveBase,
        dryRun,
        platforms: platforms.length > 0 ? platforms : undefined,
        onProgress,
      });
      if (!dryRun && hasNpmLock(image)) await writeNpmLock(image.folder);
      all[image.name] = changes;
      if (values["json"] !== true) show(image.name, changes);
    }
    if (values["json"] === true) console.log(JSON.stringify(all));
    return 0;
  },
};

/** The upstream repository first: its Dockerfile says what else is pinned. */
async function pinSource(image: Image, onProgress: (line: string) => void): Promise<Image> {
  if (image.metadata.source === undefined) return image;
  const source = await resolveSource(image.metadata.source, { imageFolder: image.folder, onProgress });
  const pinned = { ...image, source };
  assertConsumed(readDockerfile(pinned), image.metadata.buildArgs);
  return pinned;
}

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

const hasNpmLock = (image: Image): boolean => existsSync(join(image.folder, "npm", "package-lock.json"));

function show(name: string, changes: Change[]): void {
  console.log(changes.length === 0 ? `${name}: up to date` : `${name}:\n${formatChanges(changes)}`);
}

function externalBases(image: Image): string[] {
  return imageEdges(image, readDockerfile(image))
    .map(({ reference }) => reference)
    .filter((reference) => !reference.startsWith(SCOPE) && !isFolder(reference));
}

const isFolder = (reference: string): boolean =>
  parseSetContext(reference) !== undefined || parseSharedContext(reference) !== undefined;

async function resolveBase(text: string): Promise<string> {
  const { registry, repository, tag, digest } = parseReference(text);
  const found = await new RegistryClient(registry).headManifest(repository, digest ?? tag ?? "latest");
  if (found === undefined) throw new WaybillError("the registry has no such image", { where: text });
  return found.digest;
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
