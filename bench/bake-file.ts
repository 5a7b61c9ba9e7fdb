// The fleet as a bake file: a target an image. Bases are the OCI layouts of their records, as in Waybill's own builds, so that the
// engine's cache holds every step already; by `target:` all of it would have to be built once more before it is a no-op.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Image } from "@waybill/image";
import { contextValue, contextsOf, layoutOutput, platformOf, secrets } from "./engine.ts";

export type Output = "cacheonly" | "layout";

interface Fleet {
  images: readonly Image[];
  output: Output;
  /** Where the files go, and the layouts when `output` asks for them. */
  folder: string;
}

/** Writes the files. @returns the arguments of `docker` that build from them */
export async function bakeArguments({ images, output, folder }: Fleet): Promise<string[]> {
  const target: Record<string, unknown> = {};
  const services: Record<string, unknown> = {};
  for (const image of images) {
    target[targetName(image.name)] = await targetOf(image, output, join(folder, "layouts"));
    services[targetName(image.name)] = { build: { context: image.folder, network: "host" } };
  }
  mkdirSync(folder, { recursive: true });
  const bake = join(folder, `bake-${output}.json`);
  writeFileSync(bake, JSON.stringify({ group: { default: { targets: Object.keys(target) } }, target }));
  // The private engine has no bridge network, and buildx 0.13 reads a target's network from Compose files only.
  const compose = join(folder, "compose.yaml");
  writeFileSync(compose, JSON.stringify({ services }));
  return ["buildx", "bake", "--progress=plain", "--provenance=false", `--file=${compose}`, `--file=${bake}`, "default"];
}

/** Bake's names have no dots. */
const targetName = (name: string): string => name.replaceAll(".", "_");

async function targetOf(image: Image, output: Output, folder: string) {
  const contexts: Record<string, string> = {};
  for (const [name, source] of Object.entries(await contextsOf(image))) contexts[name] = contextValue(source);
  const layout = join(folder, image.name);
  if (output === "layout") mkdirSync(layout, { recursive: true });
  return {
    context: image.folder,
    dockerfile: image.dockerfile,
    contexts,
    args: image.metadata.buildArgs,
    platforms: [platformOf(image)],
    secret: secrets(),
    output: [output === "layout" ? layoutOutput(layout) : "type=cacheonly"],
  };
}
