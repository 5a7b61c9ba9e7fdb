// Carries a publish plan out. Broken off anywhere, it can be run again: what is there is left alone, and a tag is placed only when
// all it names is there.

import { type BlobStore, type ImageRecord, WaybillError, mapLimit } from "@waybill/oci";
import { Readable } from "node:stream";
import { type PushProgress, RegistryClient, type RegistryOptions, carryOut, planPush } from "@waybill/oci/registry";
import type { ReleaseIndex } from "./annotations.ts";
import type { ChartPackage, Stored } from "./chart-package.ts";
import { assertCanTag, tagsOf } from "./git.ts";
import { changeset } from "./pending.ts";
import type { ChartPublish, ImagePublish, Prepared } from "./publish-plan.ts";

/** Images under way at a time. */
const PARALLEL = 4;

export interface PublishActions {
  store: BlobStore;
  /** Brings the bytes of an image to the store, for a repository that lacks them. */
  bringBytes: (name: string) => Promise<ImageRecord>;
  client?: RegistryOptions | undefined;
  onProgress?: ((name: string, progress: PushProgress) => void) | undefined;
}

/** @throws {WaybillError} a registry refuses, or a version tag was taken meanwhile */
export async function publish(
  root: string,
  { plan, indexes, charts }: Prepared,
  actions: PublishActions,
): Promise<void> {
  if (plan.gitTags.length > 0) await makeGitTags(root, plan.gitTags);
  const images = plan.images.filter(({ action }) => action === "publish");
  await mapLimit(images, PARALLEL, (image) =>
    publishImage(image, indexes.get(image.index.digest) as ReleaseIndex, actions),
  );
  // Charts name images: they come when those are there.
  for (const chart of plan.charts.filter(({ action }) => action === "publish"))
    await publishChart(chart, charts.get(chart.name) as ChartPackage, actions);
}

/** changesets goes on, without a word, where git refuses. */
async function makeGitTags(root: string, tags: readonly string[]): Promise<void> {
  await assertCanTag(root);
  await changeset(root, ["git-tag"]);
  const there = await tagsOf(root);
  const missing = tags.filter((tag) => !there.has(tag));
  if (missing.length > 0) throw new WaybillError(`git did not make the tags ${missing.join(", ")}`, { where: root });
}

async function publishImage(image: ImagePublish, index: ReleaseIndex, actions: PublishActions): Promise<void> {
  const { name, registry, repository, tested, tags, there } = image;
  const client = new RegistryClient(registry, actions.client);
  if (!there) {
    await actions.bringBytes(name);
    const plan = await planPush(client, actions.store, tested, repository, []);
    await carryOut(client, actions.store, plan, { onProgress: (progress) => actions.onProgress?.(name, progress) });
  }
  const [version, ...lines] = tags as [string, ...string[]];
  // Asked again right before: the protocol has no compare-and-swap.
  const current = await client.headManifest(repository, version);
  if (current !== undefined && current.digest !== index.digest) throw taken(image, current.digest);
  for (const tag of [version, ...lines]) {
    await client.putManifest(repository, tag, index.mediaType, index.bytes);
    actions.onProgress?.(name, { kind: "tag", name: tag, action: "uploaded", size: index.size });
  }
}

const taken = ({ registry, repository, tags }: ImagePublish, digest: string): WaybillError =>
  new WaybillError(`version ${tags[0]} was made meanwhile, of another image (${digest})`, {
    where: `${registry}/${repository}:${tags[0]}`,
    mend: "release a new version",
  });

async function publishChart(chart: ChartPublish, content: ChartPackage, actions: PublishActions): Promise<void> {
  const client = new RegistryClient(chart.registry, actions.client);
  for (const blob of [content.config, content.content]) await client.blobs.push(chart.repository, sourceOf(blob));
  const { mediaType, bytes, size } = content.manifest;
  await client.putManifest(chart.repository, chart.tag, mediaType, bytes);
  actions.onProgress?.(chart.name, { kind: "tag", name: chart.tag, action: "uploaded", size });
}

const sourceOf = ({ digest, size, bytes }: Stored) => ({ digest, size, open: () => Readable.from([bytes]) });
