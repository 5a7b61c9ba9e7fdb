// Builds an image and leaves its record: an engine build for each platform, one index over them, the layers in the store.

import { type Dockerfile, finalBase } from "@waybill/dockerfile";
import { readLock } from "@waybill/lock/lock-file";
import { chooseEngine } from "@waybill/engine/choose";
import type { ContextSource, Engine } from "@waybill/engine/engine";
import { hostCa } from "@waybill/engine/host-ca";
import { hostPlatform } from "@waybill/engine/host-platform";
import { scratchLayout } from "@waybill/engine/scratch-layout";
import {
  type BaseRecord,
  type Descriptor,
  type Digest,
  type ImageRecord,
  BlobStore,
  WaybillError,
  indexOf,
  isExpected,
  layersByDiffId,
  normaliseImage,
  parsePlatform,
  readManifest,
  recordOf,
  writeRecord,
} from "@waybill/oci";
import { showLayout, store } from "./bytes.ts";
import { inputsOf, rememberInputs } from "./inputs.ts";
import { layerCacheOf } from "./layer-cache.ts";
import { resolveContexts } from "./contexts.ts";
import { meaningsOf } from "./edges.ts";
import { type Image, readDockerfile, recordFile } from "./image.ts";
import { type BuildFiles, buildFiles } from "./source.ts";
import { variantsToBuild } from "./variants.ts";

export interface BuildOptions {
  /** In place of those that the image declares. */
  platforms?: readonly string[] | undefined;
  /** Beside those that are always built. */
  variants?: readonly string[] | undefined;
  /** Over those that the image declares. */
  buildArgs?: Readonly<Record<string, string>> | undefined;
  /** Files by secret id, beside the host's CA. */
  secrets?: Readonly<Record<string, string>> | undefined;
  noCache?: boolean | undefined;
  engine?: Engine | undefined;
  /** Builds without touching dist/: to compare, or to bring bytes back. */
  keepRecord?: boolean | undefined;
  onLine?: ((line: string) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** What is the same for every platform and variant of one build. */
interface Job {
  image: Image;
  dockerfile: Dockerfile;
  files: BuildFiles;
  engine: Engine;
  buildArgs: Readonly<Record<string, string>>;
  options: BuildOptions;
}

/**
 * Builds the image for all its platforms, with its variants. The last good record stays in place until everything is done.
 * @throws {WaybillError} one line: what failed, file and line, the mend
 */
export async function buildImage(image: Image, options: BuildOptions = {}): Promise<ImageRecord> {
  const job = await jobOf(image, options);
  const inputs = inputsOf(image);
  // Whatever is wrong with them is wrong with the build too, which says so with its line.
  inputs.catch(() => {});
  const main = await buildIndex(job);
  const variants: Record<string, Digest> = {};
  for (const [name, target] of Object.entries(variantsToBuild(image, options.variants))) {
    variants[name] = (await buildIndex(job, target)).index.digest;
  }
  const { buildArgs } = job;
  const facts = { name: image.name, bases: await runtimeBase(job, main.contexts), buildArgs, variants };
  const record = await recordOf(store(), main.index.digest, facts);
  if (options.keepRecord !== true) {
    await showLayout(image, record);
    await writeRecord(recordFile(image), record);
    await rememberInputs(record, await inputs);
  }
  return record;
}

async function jobOf(image: Image, options: BuildOptions): Promise<Job> {
  const dockerfile = readDockerfile(image);
  const buildArgs = { ...image.metadata.buildArgs, ...options.buildArgs };
  const files = await buildFiles(image, dockerfile, buildArgs, options);
  return { image, dockerfile, files, engine: options.engine ?? chooseEngine(), buildArgs, options };
}

/** Runs a stage for what it does (tests), and keeps nothing of it. */
export async function buildStage(image: Image, target: string, options: BuildOptions = {}): Promise<void> {
  const job = await jobOf(image, options);
  const { dockerfile, engine, buildArgs } = job;
  const platform = nativePlatform(image.metadata.platforms);
  const { onLine, signal } = options;
  const wanted = { buildArgs, platform, target, onLine, signal };
  const contexts = await resolveContexts(image, dockerfile, wanted);
  await engine.build({ ...requestOf(job, platform, contexts), target });
}

/** Tests run on what the machine runs by itself, where the image is built for that. */
const nativePlatform = (platforms: readonly string[]): string =>
  platforms.includes(hostPlatform()) ? hostPlatform() : (platforms[0] as string);

interface Built {
  index: Descriptor;
  contexts: Record<string, ContextSource>;
}

async function buildIndex(job: Job, target?: string): Promise<Built> {
  const manifests: Descriptor[] = [];
  let contexts: Record<string, ContextSource> = {};
  const { buildArgs, dockerfile, image, options } = job;
  const platforms = [...new Set(options.platforms ?? image.metadata.platforms)];
  for (const platform of platforms) {
    try {
      contexts = await resolveContexts(image, dockerfile, {
        buildArgs,
        platform,
        platforms,
        target,
        onLine: options.onLine,
        signal: options.signal,
      });
      manifests.push(await buildPlatform(job, platform, contexts, target));
    } catch (error) {
      throw platforms.length === 1 && platform === hostPlatform() ? error : ofPlatform(error, image, platform);
    }
  }
  return { index: await indexOf(store(), manifests), contexts };
}

/** An index with a platform less than was asked for would be taken for whole: nothing is built, and the platform is named. */
function ofPlatform(error: unknown, { name }: Image, platform: string): unknown {
  // A base that can't be built for it has said so already.
  if (!isExpected(error) || error.what.includes(platform)) return error;
  const { what, where, mend } = error;
  return new WaybillError(`${name} can't be built for ${platform}: ${what}`, { where, mend, cause: error });
}

async function buildPlatform(
  job: Job,
  platform: string,
  contexts: Record<string, ContextSource>,
  target: string | undefined,
): Promise<Descriptor> {
  const inherited = await inheritedLayers(contexts, platform);
  const known = [...inherited.values()].map(({ digest }) => digest);
  const name = [job.image.name, target ?? "", platform].join("-");
  const { layout, keep, remove } = await scratchLayout(store(), known, name);
  try {
    const [manifest, ...more] = await job.engine.build({ ...requestOf(job, platform, contexts), target, layout });
    if (manifest === undefined || more.length > 0) {
      throw new WaybillError(`the engine wrote ${more.length + (manifest ? 1 : 0)} images for ${platform}`, {
        where: placeOf(job),
      });
    }
    const { compression } = job.image.metadata;
    const written = new BlobStore(layout);
    const normal = await normaliseImage(written, store(), manifest.digest, { compression, inherited });
    await keep((await readManifest(written, manifest.digest)).layers.map(({ digest }) => digest));
    return { ...normal, platform: parsePlatform(platform) };
  } finally {
    await remove();
  }
}

/** The layers that come with the images built from, which stay as those images have them. */
async function inheritedLayers(
  contexts: Record<string, ContextSource>,
  platform: string,
): Promise<Map<Digest, Descriptor>> {
  const all = new Map<Digest, Descriptor>();
  for (const source of Object.values(contexts)) {
    if (source.kind === "folder") continue;
    for (const [diffId, layer] of await layersByDiffId(store(), source.digest, platform)) all.set(diffId, layer);
  }
  return all;
}

function requestOf(job: Job, platform: string, contexts: Record<string, ContextSource>) {
  const { files, image, buildArgs, options } = job;
  const ca = hostCa();
  return {
    ...files,
    platforms: [platform],
    buildArgs,
    contexts,
    secrets: { ...(ca === undefined ? {} : { ca }), ...options.secrets },
    noCache: options.noCache,
    layerCache: layerCacheOf(image.name, platform),
    onLine: options.onLine,
    signal: options.signal,
  };
}

/**
 * The image that the final stage stands on. Toolchains are no bases: what they made is in the layers, and naming them would give
 * two records to one image (docs/decisions/0003-record-names-the-runtime-base.md).
 */
async function runtimeBase(job: Job, contexts: Record<string, ContextSource>): Promise<BaseRecord[]> {
  const name = finalBase(job.dockerfile, undefined, { buildArgs: job.buildArgs });
  const source = name === "scratch" ? undefined : contexts[name];
  if (source === undefined || source.kind === "folder") return [];
  const reference = meaningsOf(job.image)(name);
  // From elsewhere: the pin names the whole image, the source one platform of it.
  const pinned = (await readLock(job.image.folder)).bases[reference] as Digest | undefined;
  return [{ reference, digest: pinned ?? source.digest }];
}

const placeOf = (job: Job): string => job.dockerfile.file;
