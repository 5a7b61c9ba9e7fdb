// BuildKit through `docker buildx`: the user's own docker, a remote builder, or the private engine, which differ in where the
// client finds its server and in nothing else.

import { type Descriptor, type Digest, type RunResult, run } from "@waybill/oci";
import type { BuildRequest, ContainerCommand, ContainerRequest, ContextSource, Engine, EngineName } from "./engine.ts";
import { explainFailure } from "./failure.ts";
import { buildxCache } from "./layer-cache.ts";
import { loadImage } from "./load.ts";
import { manifestsIn } from "./scratch-layout.ts";

interface BuildxOptions {
  name: EngineName;
  env: () => Record<string, string | undefined>;
  /** The program and first arguments of `docker buildx`; a path to the plugin itself saves docker's start. */
  buildx: () => [string, ...string[]];
  start: () => Promise<void>;
  /** The private engine has no bridge network; its builds and containers use the host's. */
  hostNetwork: boolean;
  /** Rewrites the argv before it runs (the user's docker goes through @nx-tools/nx-container's inputs). */
  adapt?: (args: string[]) => Promise<string[]>;
}

const ENVIRONMENT = {
  // For what build steps print into files, and for the image's own dates.
  SOURCE_DATE_EPOCH: "0",
  BUILDX_NO_DEFAULT_ATTESTATIONS: "1",
  // For its history, buildx asks git six questions before each build: a tenth of a second.
  BUILDX_GIT_INFO: "false",
};

export class Buildx implements Engine {
  readonly name: EngineName;
  readonly #options: BuildxOptions;

  constructor(options: BuildxOptions) {
    this.name = options.name;
    this.#options = options;
  }

  start(): Promise<void> {
    return this.#options.start();
  }

  async build(request: BuildRequest): Promise<Descriptor[]> {
    await this.start();
    const args = await this.#arguments(request);
    const env = { ...this.#options.env(), ...ENVIRONMENT };
    const [program, ...first] = this.#options.buildx();
    const result = await run(program, [...first, ...args], { env, onLine: request.onLine, signal: request.signal });
    if (result.exitCode !== 0) throw explainFailure(result.stderr, request);
    return request.layout === undefined ? [] : manifestsIn(request.layout);
  }

  async #arguments(request: BuildRequest): Promise<string[]> {
    const args = ["build", "--progress=plain", "--provenance=false", `--file=${request.dockerfile}`];
    if (this.#options.hostNetwork) args.push("--network=host");
    if (request.target !== undefined) args.push(`--target=${request.target}`);
    if (request.noCache) args.push("--no-cache");
    args.push(...buildxCache(request));
    args.push(`--platform=${request.platforms.join(",")}`, `--output=${outputOf(request.layout)}`);
    for (const [key, value] of Object.entries(request.buildArgs)) args.push(`--build-arg=${key}=${value}`);
    for (const [id, file] of Object.entries(request.secrets)) args.push(`--secret=id=${id},src=${file}`);
    for (const [name, source] of Object.entries(request.contexts)) {
      args.push(`--build-context=${name}=${contextOf(source)}`);
    }
    const adapted = (await this.#options.adapt?.(args)) ?? args;
    return [...adapted, request.context];
  }

  async load(layout: string, digest: Digest, name: string): Promise<string> {
    await this.start();
    await loadImage("docker", this.#options.env(), { layout, digest, name });
    return name;
  }

  container({ image, args, flags }: ContainerRequest): ContainerCommand {
    const network = flags.some((flag) => flag.startsWith("--network")) ? [] : ["--network=host"];
    return { command: "docker", args: ["run", ...network, ...flags, image, ...args], env: this.#options.env() };
  }

  async removeContainer(name: string): Promise<void> {
    await this.#docker(["rm", "--force", "--volumes", name]);
  }

  #docker(args: string[]): Promise<RunResult> {
    return run("docker", args, { env: this.#options.env() });
  }
}

const contextOf = (source: ContextSource): string =>
  source.kind === "folder" ? source.path : `oci-layout://${source.layout}@${source.digest}`;

/**
 * `tar=false` writes into the layout's blob folder and moves only blobs that are not there yet. Layers come as plain tars: Waybill
 * takes the time out of them and compresses them itself (BuildKit would do the layers of the base again, on every build).
 */
const outputOf = (layout: string | undefined): string =>
  layout === undefined
    ? "type=cacheonly"
    : `type=oci,tar=false,dest=${layout},oci-mediatypes=true,compression=uncompressed`;
