// What `release publish` would do, as data: for each version that no registry has yet, the tested digest gets its tags.

import type { BlobStore, Digest, ImageRecord } from "@waybill/oci";
import { WaybillError, mapLimit, parseDocument, parseReference } from "@waybill/oci";
import { RegistryClient, type RegistryOptions } from "@waybill/oci/registry";
import { type ReleaseIndex, releaseIndex } from "./annotations.ts";
import { type ChartPackage, packageChart } from "./chart-package.ts";
import { type Commit, commitOf, tagsOf } from "./git.ts";
import { type Releasable, releasables } from "./packages.ts";
import { versionTags } from "./version-tags.ts";

/** Registries asked at a time. */
const PARALLEL = 4;

export interface PublishOptions {
  /** "ghcr.io/acme/images". */
  registry: string;
  /** "ghcr.io/acme/charts". */
  charts: string;
  /** "https://github.com/acme/images", for annotations. */
  source?: string | undefined;
  store: BlobStore;
  /** The record of an image as it was tested. */
  recordOf: (name: string) => Promise<ImageRecord>;
  client?: RegistryOptions | undefined;
}

/** "released": the registry has it. "publish": it gets its tags. */
export type PublishAction = "released" | "publish";

export interface ImagePublish {
  kind: "image";
  name: string;
  /** Absent for the image itself. */
  variant?: string;
  version: string;
  registry: string;
  repository: string;
  action: PublishAction;
  /** The digest that was tested, and ships. */
  tested: Digest;
  /** Whether the repository has the tested image, so that not a byte of it needs to move. */
  there: boolean;
  /** The version first; those that follow it only where no newer version is there. */
  tags: string[];
  index: Omit<ReleaseIndex, "bytes">;
}

export interface ChartPublish {
  kind: "chart";
  name: string;
  version: string;
  registry: string;
  repository: string;
  action: PublishAction;
  tag: string;
  digest: Digest;
}

export interface PublishPlan {
  /** git tags that are not there yet, as `changeset git-tag` names them. */
  gitTags: string[];
  images: ImagePublish[];
  charts: ChartPublish[];
}

/** What carrying out needs beside the plan: bytes. */
export interface Prepared {
  plan: PublishPlan;
  indexes: Map<Digest, ReleaseIndex>;
  charts: Map<string, ChartPackage>;
}

/** Changes nothing. @throws {WaybillError} a version names another image already, or a release was left half done elsewhere */
export async function planPublish(root: string, options: PublishOptions): Promise<Prepared> {
  const all = [...(await releasables(root)).values()];
  const tags = await tagsOf(root);
  const head = await commitOf(root);
  const indexes = new Map<Digest, ReleaseIndex>();
  const charts = new Map<string, ChartPackage>();
  const gitTags = all.map(gitTag).filter((tag) => !tags.has(tag));
  const images = await mapLimit(
    all.filter(({ kind }) => kind === "image"),
    PARALLEL,
    (image) => planImage(root, image, { options, head, tags, indexes }),
  );
  const packed = await mapLimit(
    all.filter(({ kind }) => kind === "chart"),
    PARALLEL,
    async (chart) => {
      const content = await packageChart(`${root}/${chart.folder}`);
      charts.set(chart.name, content);
      return planChart(chart, content, options);
    },
  );
  return { plan: { gitTags, images: images.flat(), charts: packed }, indexes, charts };
}

export const gitTag = ({ package: name, version }: Pick<Releasable, "package" | "version">): string =>
  `${name}@${version}`;

interface Context {
  options: PublishOptions;
  head: Commit;
  tags: ReadonlySet<string>;
  indexes: Map<Digest, ReleaseIndex>;
}

async function planImage(root: string, image: Releasable, context: Context): Promise<ImagePublish[]> {
  const { registry, repository } = parseReference(`${context.options.registry}/${image.repository}`);
  const client = new RegistryClient(registry, context.options.client);
  const tag = gitTag(image);
  const commit = context.tags.has(tag) ? await commitOf(root, `refs/tags/${tag}`) : context.head;
  const existing = await client.listTags(repository);
  const older = commit.revision !== context.head.revision;
  const record = await context.options.recordOf(image.name);
  const versions = [undefined, ...Object.keys(record.variants)];
  const plans: ImagePublish[] = [];
  for (const variant of versions) {
    const of = variant === undefined ? record : { ...record, ...record.variants[variant], variants: {} };
    const suffix = variant === undefined ? "" : `-${variant}`;
    const lines = existing
      .filter((each) => each.endsWith(suffix))
      .map((each) => each.slice(0, each.length - suffix.length));
    const names = versionTags(image.version, lines).map((each) => `${each}${suffix}`);
    const version = names[0] as string;
    const known = existing.includes(version);
    // Released at an earlier commit: what is built now is the next version's.
    if (older && !known) throw leftHalfDone(image, version, commit.revision);
    const index = await indexOfTested(context, client, repository, of, { ...commit, version: image.version });
    if (!older && known) await assertSame(client, repository, version, index);
    context.indexes.set(index.digest, index);
    const { bytes: _bytes, ...descriptor } = index;
    plans.push({
      kind: "image",
      name: image.name,
      ...(variant === undefined ? {} : { variant }),
      version: image.version,
      registry,
      repository,
      action: known ? "released" : "publish",
      tested: of.digest,
      there: (await client.headManifest(repository, of.digest)) !== undefined,
      tags: known ? [version] : names,
      index: descriptor,
    });
  }
  return plans;
}

async function indexOfTested(
  { options }: Context,
  client: RegistryClient,
  repository: string,
  record: ImageRecord,
  facts: { version: string; revision: string; created: string },
): Promise<ReleaseIndex> {
  // The record may have come from a cache: then the registry has what this machine has not.
  if (!(await options.store.has(record.digest))) {
    const found = await client.getManifest(repository, record.digest);
    if (found !== undefined) await options.store.put(found.bytes);
  }
  return await releaseIndex(options.store, record, { ...facts, source: options.source });
}

/** A version promises one image for ever. Annotations may differ, as another commit's do: the manifests must not. */
async function assertSame(client: RegistryClient, repository: string, tag: string, index: ReleaseIndex): Promise<void> {
  const found = await client.getManifest(repository, tag);
  if (found === undefined || found.digest === index.digest) return;
  if (manifestsOf(found.bytes) === manifestsOf(index.bytes)) return;
  throw new WaybillError(`version ${tag} is another image already (${found.digest})`, {
    where: `${client.registry}/${repository}:${tag}`,
    mend: "write a changeset, and release a new version",
  });
}

function manifestsOf(bytes: Buffer): string {
  const document = parseDocument(bytes, "an index");
  if (document.kind === "manifest") return "";
  return document.index.manifests.map(({ digest }) => digest).join(" ");
}

function leftHalfDone({ package: name }: Releasable, version: string, revision: string): WaybillError {
  return new WaybillError(`${name} ${version} was tagged at ${revision.slice(0, 12)} and never published`, {
    mend: `git checkout ${revision.slice(0, 12)}, build, and publish there`,
  });
}

async function planChart(chart: Releasable, content: ChartPackage, options: PublishOptions): Promise<ChartPublish> {
  const { registry, repository } = parseReference(`${options.charts}/${chart.name}`);
  const client = new RegistryClient(registry, options.client);
  const tag = chart.version.replaceAll("+", "_");
  const found = await client.headManifest(repository, tag);
  const { digest } = content.manifest;
  return {
    kind: "chart",
    name: chart.name,
    version: chart.version,
    registry,
    repository,
    action: found === undefined ? "publish" : "released",
    tag,
    digest,
  };
}
