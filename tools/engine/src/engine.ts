// One interface over what builds images, so that nothing else in the repo knows which engine runs.

import type { Descriptor, Digest } from "@waybill/oci";
import type { LayerCache } from "./layer-cache.ts";

/** What a name in `FROM`, `COPY --from` or `RUN --mount=from=` stands for: an image by digest, or a folder of files. */
export type ContextSource =
  | { kind: "image"; /** An OCI layout's folder. */ layout: string; /** Of an index or a manifest. */ digest: Digest }
  | { kind: "folder"; path: string };

export interface BuildRequest {
  /** Absolute path of the Dockerfile. */
  dockerfile: string;
  /** Absolute path of the build context. */
  context: string;
  /** A stage of the Dockerfile; the last one when absent. */
  target?: string | undefined;
  /** `os/arch[/variant]`, at least one. */
  platforms: readonly string[];
  buildArgs: Readonly<Record<string, string>>;
  contexts: Readonly<Record<string, ContextSource>>;
  /** Files that `RUN --mount=type=secret,id=…` sees, by id. Their content never reaches a layer or a cache key. */
  secrets: Readonly<Record<string, string>>;
  /** An OCI layout's folder, of this build alone; it gets the image with its layers as they came out, time stamps and all. Absent: build, keep nothing (a test stage). */
  layout?: string | undefined;
  noCache?: boolean | undefined;
  /** Layers that other machines have made, or want. */
  layerCache?: LayerCache | undefined;
  /** Each line of the engine's progress, plain. */
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ContainerRequest {
  /** What `load` returned. */
  image: string;
  args: readonly string[];
  /** Flags of `docker run` / `podman run`, which agree on those that tests need. */
  flags: readonly string[];
}

/** A command line that runs in the foreground until the container ends. */
export interface ContainerCommand {
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
}

export interface Engine {
  readonly name: string;
  /** Makes the engine ready (starts it, where it is ours). Throws a WaybillError that says what is missing. */
  start(): Promise<void>;
  /** Builds, and returns the manifest of each platform, in the layout asked for. Empty when no layout was asked for. */
  build(request: BuildRequest): Promise<Descriptor[]>;
  /** Puts an image of an OCI layout into the engine's own storage under `name` (a reference); returns how to run it. */
  load(layout: string, digest: Digest, name: string): Promise<string>;
  /** The command that runs a container of a loaded image. */
  container(request: ContainerRequest): ContainerCommand;
  /** Ends and removes a container by name, whatever its state. */
  removeContainer(name: string): Promise<void>;
}

export type EngineName = "docker" | "embedded" | "buildah";

/** Whether an engine can be used here, found without starting it. */
export type Availability = { usable: true; detail: string } | { usable: false; reason: string; mend: string };
