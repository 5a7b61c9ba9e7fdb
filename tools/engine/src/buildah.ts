// buildah, for machines that have no BuildKit. What it loses against BuildKit is in docs/engines.md: HEALTHCHECK (the OCI format
// has no place for it, and buildah drops it), heredocs before 1.33, and about a second a build.

import { type Descriptor, type Digest, WaybillError, run } from "@waybill/oci";
import type { BuildRequest, ContainerCommand, ContainerRequest, ContextSource, Engine } from "./engine.ts";
import { containersConf } from "./containers-conf.ts";
import { explainFailure } from "./failure.ts";
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
    const result = await run("buildah", buildArguments(request, tag), {
      env,
      onLine: request.onLine,
      signal: request.signal,
    });
    try {
      if (result.exitCode !== 0) throw explainFailure(result.stdout + result.stderr, request);
      if (request.layout === undefined) return [];
      // A compression level would do: gzip's output depends on the version of the library, so digests differ between engines.
      await run("buildah", ["push", "--quiet", "--format=oci", tag, `oci:${request.layout}:latest`], { env, check: true });
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

function buildArguments(request: BuildRequest, tag: string): string[] {
  const args = ["build", "--layers", "--format=oci", "--timestamp=0", "--omit-history", "--identity-label=false"];
  args.push("--isolation=chroot", "--network=host", "--pull=never", `--file=${request.dockerfile}`, `--tag=${tag}`);
  if (request.target !== undefined) args.push(`--target=${request.target}`);
  if (request.noCache === true) args.push("--no-cache");
  args.push(`--platform=${request.platforms.join(",")}`);
  for (const [key, value] of Object.entries(request.buildArgs)) args.push(`--build-arg=${key}=${value}`);
  for (const [id, file] of Object.entries(request.secrets)) args.push(`--secret=id=${id},src=${file}`);
  for (const [name, source] of Object.entries(request.contexts)) args.push(`--build-context=${name}=${contextOf(source)}`);
  return [...args, request.context];
}

function contextOf(source: ContextSource): string {
  if (source.kind === "folder") return source.path;
  if (source.kind === "image") return `container-image://oci:${source.layout}@${source.digest}`;
  return `docker-image://${source.reference.replace(/@.*/, "")}@${source.digest}`;
}
