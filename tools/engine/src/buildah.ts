// buildah, for machines that have no BuildKit. What it loses against BuildKit is in docs/engines.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDockerfile } from "@waybill/dockerfile";
import {
  BlobStore,
  type Descriptor,
  type Digest,
  Layout,
  MEDIA_TYPE,
  WaybillError,
  parseDocument,
  run,
} from "@waybill/oci";
import type { BuildRequest, ContainerCommand, ContainerRequest, ContextSource, Engine } from "./engine.ts";
import { containersConf } from "./containers-conf.ts";
import { explainFailure } from "./failure.ts";
import { socketFolder } from "./home.ts";
import { buildahCache } from "./layer-cache.ts";
import { loadImage } from "./load.ts";
import { onPath } from "./on-path.ts";
import { manifestsIn } from "./scratch-layout.ts";

export class Buildah implements Engine {
  readonly name = "buildah";

  async start(): Promise<void> {
    if (onPath("buildah") !== undefined) return;
    throw new WaybillError("buildah is not installed", { mend: "sudo apt-get install buildah" });
  }

  async build(request: BuildRequest): Promise<Descriptor[]> {
    const env = await this.#env();
    const tag = `localhost/waybill-build:${process.pid}-${Math.random().toString(36).slice(2)}`;
    try {
      const args = await buildArguments(request, tag);
      const result = await run("buildah", args, { env, onLine: request.onLine, signal: request.signal });
      if (result.exitCode !== 0) throw explainFailure(result.stdout + result.stderr, request);
      if (request.layout === undefined) return [];
      await run(
        "buildah",
        ["push", "--quiet", "--format=oci", "--disable-compression", tag, `oci:${request.layout}:latest`],
        {
          env,
          check: true,
        },
      );
      return await manifestsIn(request.layout);
    } finally {
      await run("buildah", ["rmi", "--force", tag], { env });
    }
  }

  async load(layout: string, digest: Digest, name: string): Promise<string> {
    await loadImage("podman", await this.#env(), { layout, digest, name });
    return name;
  }

  container({ image, args, flags }: ContainerRequest): ContainerCommand {
    const network = flags.some((flag) => flag.startsWith("--network")) ? [] : ["--network=host"];
    return { command: "podman", args: ["run", ...network, ...flags, image, ...args], env: containersConf.env() };
  }

  async removeContainer(name: string): Promise<void> {
    await run("podman", ["rm", "--force", "--volumes", name], { env: await this.#env() });
  }

  async #env(): Promise<Record<string, string | undefined>> {
    await containersConf.write();
    return containersConf.env();
  }
}

/** The argv of `buildah build`, with the context last. */
export async function buildArguments(request: BuildRequest, tag: string): Promise<string[]> {
  const args = ["build", "--layers", "--format=oci", "--timestamp=0", "--omit-history", "--identity-label=false"];
  args.push("--isolation=chroot", "--network=host", "--pull=never", `--file=${request.dockerfile}`, `--tag=${tag}`);
  if (request.target !== undefined) args.push(`--target=${request.target}`);
  if (request.noCache === true) args.push("--no-cache");
  args.push(...buildahCache(request));
  args.push(`--platform=${request.platforms.join(",")}`);
  for (const [key, value] of Object.entries(request.buildArgs)) args.push(`--build-arg=${key}=${value}`);
  for (const [id, file] of Object.entries(request.secrets)) args.push(`--secret=id=${id},src=${file}`);
  const written = namesAsWritten(request);
  for (const [name, source] of Object.entries(request.contexts)) {
    const context = await contextOf(source);
    for (const alias of new Set([name, ...(written.get(name) ?? [])])) args.push(`--build-context=${alias}=${context}`);
  }
  return [...args, request.context];
}

/** buildah 1.28 looks a FROM's name up before it puts variables in: `${BASE}` must be a name of the context too. */
function namesAsWritten({ dockerfile, buildArgs }: BuildRequest): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { from } of parseDockerfile(readFileSync(dockerfile, "utf8"), dockerfile, { buildArgs }).stages) {
    names.set(from.resolved, [...(names.get(from.resolved) ?? []), from.raw]);
  }
  return names;
}

async function contextOf(source: ContextSource): Promise<string> {
  if (source.kind === "folder") return source.path;
  // It takes an image of a layout by its name there, not by digest, and keeps it under the layout's path, which must be lower-case.
  const folder = join(`${socketFolder()}-bases`, source.digest.slice("sha256:".length));
  const store = new BlobStore(source.layout);
  const content = await store.read(source.digest);
  const mediaType = parseDocument(content, source.digest).kind === "index" ? MEDIA_TYPE.index : MEDIA_TYPE.manifest;
  const layout = await Layout.create(folder, store);
  await layout.add({ mediaType, digest: source.digest, size: content.length }, "base");
  return `container-image://oci:${folder}:base`;
}
