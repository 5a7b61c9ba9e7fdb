// What `release version` would change, as data: versions by the changesets, and the charts that name the images.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Chart, type ValuesImage, findCharts, valuesFile } from "@waybill/chart";
import { upstreamVersion } from "@waybill/lock";
import type { Digest } from "@waybill/oci";
import { type Releasable, ownRepositories, releasables } from "./packages.ts";
import { type Bump, pendingBumps } from "./pending.ts";
import { releaseOf } from "./upstream-versions.ts";

export interface Release extends Bump, Pick<Releasable, "kind" | "name" | "folder"> {
  /** The version by changesets' count, where the image's own is another. */
  counted?: string;
}

export interface ChartImageChange {
  /** In values.yaml: "controllerManager.manager.image". */
  path: string;
  line: number;
  image: string;
  from: string | undefined;
  to: string;
  digest?: Digest | undefined;
}

export interface ChartChange {
  name: string;
  folder: string;
  version: { from: string; to: string };
  appVersion?: { from: string | undefined; to: string };
  images: ChartImageChange[];
}

export interface VersionPlan {
  releases: Release[];
  charts: ChartChange[];
}

export interface VersionOptions {
  /** Where images are pushed: "ghcr.io/acme/images". */
  registry: string;
  /** Digests to pin beside the tags, by image. */
  digests?: ReadonlyMap<string, Digest> | undefined;
}

/** Reads files and changes none. @throws {WaybillError} a changeset, a chart or an image that can't be read */
export async function planVersion(root: string, options: VersionOptions): Promise<VersionPlan> {
  const known = await releasables(root);
  const releases = (await pendingBumps(root)).flatMap((bump): Release[] => {
    const { kind, name, folder } = known.get(bump.package) ?? {};
    return kind === undefined || name === undefined || folder === undefined ? [] : [{ ...bump, kind, name, folder }];
  });
  await Promise.all(releases.filter(({ kind }) => kind === "image").map((image) => followUpstream(root, image)));
  releases.sort((a, b) => (a.kind === b.kind ? compare(a.name, b.name) : a.kind === "image" ? -1 : 1));
  const byRepository = new Map<string, Release>();
  for (const [repository, image] of await ownRepositories(root, options.registry)) {
    const release = releases.find(({ package: name }) => name === image.package);
    if (release !== undefined) byRepository.set(repository, release);
  }
  const charts = findCharts(root).map((chart) => changeOf(chart, releases, byRepository, options));
  return { releases, charts: charts.filter(({ version, images }) => version.from !== version.to || images.length > 0) };
}

/** An image that repackages has upstream's version, not one that we count. */
async function followUpstream(root: string, image: Release): Promise<void> {
  const upstream = await upstreamVersion(join(root, image.folder));
  if (upstream === undefined) return;
  image.counted = image.to;
  image.to = releaseOf(upstream, image.from);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function changeOf(
  chart: Chart,
  releases: readonly Release[],
  byRepository: ReadonlyMap<string, Release>,
  { digests }: VersionOptions,
): ChartChange {
  const release = releases.find(({ kind, name }) => kind === "chart" && name === chart.name);
  const images = chart.images.flatMap((named) => imageChange(named, byRepository.get(named.repository), digests));
  const version = { from: chart.version, to: release?.to ?? chart.version };
  // A chart whose appVersion says its own version goes on to do so; another is its author's.
  const follows = chart.appVersion === chart.version && version.from !== version.to;
  return {
    name: chart.name,
    folder: chart.folder,
    version,
    ...(follows ? { appVersion: { from: chart.appVersion, to: version.to } } : {}),
    images,
  };
}

function imageChange(
  { path, line, tag }: ValuesImage,
  release: Release | undefined,
  digests: VersionOptions["digests"],
): ChartImageChange[] {
  // Without a tag the chart takes another value for it: there is nothing to write.
  if (release === undefined || tag === undefined) return [];
  return [{ path, line, image: release.name, from: tag, to: release.to, digest: digests?.get(release.name) }];
}

/** The text of a chart's values, and its Chart.yaml. */
export async function chartTexts(folder: string): Promise<{ values: string; chart: string }> {
  const values = await readFile(valuesFile(folder), "utf8").catch(() => "");
  return { values, chart: await readFile(join(folder, "Chart.yaml"), "utf8") };
}
