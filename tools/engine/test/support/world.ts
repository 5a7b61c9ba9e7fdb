// A small world to build in: a context folder, a store, and a busybox that came as a pinned Debian package.

import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { debianArchitecture, fetchPackages, readLock, unpackPackages } from "@waybill/lock";
import {
  BlobStore,
  type Descriptor,
  type Digest,
  type ImageConfig,
  Layout,
  type Manifest,
  indexOf,
  layersByDiffId,
  normaliseImage,
  parseJson,
  readTree,
} from "@waybill/oci";
import { type BuildRequest, type Engine, hostPlatform, scratchLayout } from "../../src/index.ts";

const DEBIAN = fileURLToPath(new URL("../../../../images/bases/debian", import.meta.url));

export interface Built {
  manifest: Descriptor;
  config: ImageConfig;
  /** Paths of the final file system, without their leading slash, and what they hold where that is small. */
  files: Map<string, string>;
}

export class World {
  readonly folder: string;
  readonly #engine: Engine;
  readonly #busybox: string;

  private constructor(folder: string, engine: Engine, busybox: string) {
    this.folder = folder;
    this.#engine = engine;
    this.#busybox = busybox;
  }

  static async create(engine: Engine): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "waybill-engine-"));
    const set = (await readLock(DEBIAN)).packages["busybox"];
    const arch = debianArchitecture(hostPlatform());
    if (set === undefined || arch === undefined) throw new Error("the debian base locks no busybox");
    const world = new World(folder, engine, await unpackPackages((await fetchPackages(set, arch)).folder));
    await mkdir(world.store, { recursive: true });
    return world;
  }

  get store(): string {
    return join(this.folder, "store");
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  /** Writes files below a new folder of the world; a Dockerfile among them makes it a build context. */
  async context(name: string, files: Record<string, string>): Promise<string> {
    const folder = join(this.folder, name);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
    return folder;
  }

  request(context: string, more: Partial<BuildRequest> = {}): BuildRequest {
    return {
      dockerfile: join(context, "Dockerfile"),
      context,
      platforms: [hostPlatform()],
      buildArgs: {},
      secrets: {},
      ...more,
      contexts: { busybox: { kind: "folder", path: this.#busybox }, ...more.contexts },
    };
  }

  /** Builds, and reads what came out as another tool would. */
  async build(context: string, more: Partial<BuildRequest> = {}): Promise<Built> {
    const inherited = await this.#inherited(more);
    const { layout, remove } = await scratchLayout(
      new BlobStore(this.store),
      [...inherited.values()].map(({ digest }) => digest),
      "world",
    );
    try {
      const [manifest] = await this.#engine.build({ ...this.request(context, more), layout });
      if (manifest === undefined) throw new Error("nothing was built");
      const target = new BlobStore(this.store);
      const normal = { compression: "fast", inherited } as const;
      return await this.#read(await normaliseImage(new BlobStore(layout), target, manifest.digest, normal));
    } finally {
      await remove();
    }
  }

  async #inherited({ contexts = {} }: Partial<BuildRequest>): Promise<Map<Digest, Descriptor>> {
    const layers = new Map<Digest, Descriptor>();
    for (const source of Object.values(contexts)) {
      if (source.kind === "folder") continue;
      const found = await layersByDiffId(new BlobStore(source.layout), source.digest, hostPlatform());
      for (const [diffId, layer] of found) layers.set(diffId, layer);
    }
    return layers;
  }

  async #read(manifest: Descriptor): Promise<Built> {
    const blobs = new BlobStore(this.store);
    const { config, layers } = parseJson(await blobs.read(manifest.digest), "manifest") as Manifest;
    const files = new Map<string, string>();
    for (const [path, entry] of await readTree(blobs, layers, { headBytes: 200 }))
      files.set(path, entry.head?.toString() ?? "");
    return { manifest, config: parseJson(await blobs.read(config.digest), "config") as ImageConfig, files };
  }

  /** As a layout whose index can be named as a build context. */
  async asBase({ manifest }: Built): Promise<{ layout: string; digest: Descriptor["digest"] }> {
    const blobs = new BlobStore(this.store);
    const { digest } = await indexOf(blobs, [manifest]);
    await Layout.create(this.store);
    return { layout: this.store, digest };
  }

  /** Half-written things in the store: layouts under way, and content that isn't whole. */
  async leftovers(): Promise<string[]> {
    const found = await readdir(this.store, { recursive: true }).catch(() => []);
    return found.filter((path) => path.startsWith("tmp/") || path.includes("ingest"));
  }
}

/** The start of a Dockerfile whose RUN lines have a shell. No SHELL line: buildah ignores it in the OCI format. */
export const BUSYBOX = `FROM scratch
COPY --from=busybox /usr/bin/busybox /bin/busybox
COPY --from=busybox /usr/bin/busybox /bin/sh
`;
