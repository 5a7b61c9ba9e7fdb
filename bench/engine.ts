// The private engine's own docker client, as a user of it without Waybill would call it.

import type { ContextSource } from "@waybill/engine";
import { hostCa, startEmbedded } from "@waybill/engine";
import { type Image, readDockerfile } from "@waybill/image";
import { clientEnv } from "../tools/engine/src/embedded/paths.ts";
import { resolveContexts } from "../tools/image/src/contexts.ts";
import { envWith, sh } from "./shell.ts";

/** Runs `docker` with the private engine, started when it isn't. */
export async function docker(args: readonly string[]): Promise<void> {
  await startEmbedded();
  // The same settings as Waybill's builds: reproducible, and nothing that asks a registry.
  const env = envWith({ ...clientEnv(), SOURCE_DATE_EPOCH: "0", BUILDX_NO_DEFAULT_ATTESTATIONS: "1" });
  await sh({ env })`docker ${args}`;
}

/** What the engine makes when nobody asks for more: an OCI layout, layers in gzip, with the time stamps of the build. */
export const layoutOutput = (layout: string): string => `type=oci,tar=false,dest=${layout}`;

export function secrets(): string[] {
  const ca = hostCa();
  return ca === undefined ? [] : [`id=ca,src=${ca}`];
}

/** The platform whose build is measured: the first that the image declares. */
export const platformOf = (image: Image): string => image.metadata.platforms[0] ?? "linux/amd64";

export const contextsOf = (image: Image): Promise<Record<string, ContextSource>> =>
  resolveContexts(image, readDockerfile(image), { buildArgs: image.metadata.buildArgs, platform: platformOf(image) });

/** As the value of `--build-context`. */
export const contextValue = (source: ContextSource): string =>
  source.kind === "folder" ? source.path : `oci-layout://${source.layout}@${source.digest}`;

/** `docker buildx build` of the image's Dockerfile into an OCI layout. */
export async function buildxBuild(image: Image, layout: string): Promise<void> {
  const args = ["buildx", "build", "--progress=plain", "--provenance=false", "--network=host"];
  args.push(`--platform=${platformOf(image)}`, `--file=${image.dockerfile}`, `--output=${layoutOutput(layout)}`);
  for (const [key, value] of Object.entries(image.metadata.buildArgs)) args.push(`--build-arg=${key}=${value}`);
  for (const secret of secrets()) args.push(`--secret=${secret}`);
  for (const [name, source] of Object.entries(await contextsOf(image))) {
    args.push(`--build-context=${name}=${contextValue(source)}`);
  }
  await docker([...args, image.folder]);
}
