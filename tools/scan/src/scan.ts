// Scans images: what is in them by tools/inventory, what is known of that by advisories, less what their teams live with.

import { KnownLayers, type Distribution, type Package, inventoryOf } from "@waybill/inventory";
import type { BlobStore, ImageRecord, PlatformRecord } from "@waybill/oci";
import { type Finding, findingsOn } from "./finding.ts";
import { type Ignored, type Sifted, sift } from "./ignore.ts";
import type { Advisory } from "./osv/advisory.ts";
import type { AdvisorySource } from "./osv/source.ts";
import { LEVELS, type Level } from "./severity.ts";
import { type Subject, subjectOf } from "./subject.ts";

export interface ScanTarget {
  record: ImageRecord;
  /** What the image's own folder ignores, and what those of its bases do. */
  own: readonly Ignored[];
  inherited: readonly Ignored[];
}

export interface ImageScan {
  name: string;
  digest: string;
  /** Packages that advisories were asked about, and those that none can be about, such as a module without a version. */
  packages: number;
  unknown: number;
  /** The worst first. */
  findings: Finding[];
  ignored: Sifted["ignored"];
  problems: string[];
}

interface Listing {
  found: Package;
  subject: Subject;
  paths: string[];
  /** "" is the image itself. */
  variants: string[];
}

interface Listed {
  target: ScanTarget;
  /** Each once, with all its places. */
  packages: Listing[];
  unknown: number;
}

export interface ScanOptions {
  store: BlobStore;
  source: AdvisorySource;
  /** YYYY-MM-DD; default: the day it is, in UTC. */
  today?: string | undefined;
}

/**
 * Scans all platforms and variants of each image; the advisories are asked once for all of them.
 * @throws {WaybillError} an image's bytes are not in the store, or the advisories can't be had
 */
export async function scanImages(targets: readonly ScanTarget[], options: ScanOptions): Promise<ImageScan[]> {
  const known = new KnownLayers();
  const listed: Listed[] = [];
  for (const target of targets) listed.push(await list(target, options.store, known));
  const subjects = new Map(listed.flatMap(({ packages }) => packages.map(({ subject }) => [keyOf(subject), subject])));
  const advisories = subjects.size === 0 ? [] : await options.source.advisoriesOn([...subjects.values()]);
  const byName = indexed(advisories);
  const today = options.today ?? new Date().toISOString().slice(0, 10);
  return listed.map((each) => judge(each, byName, today));
}

async function list(target: ScanTarget, store: BlobStore, known: KnownLayers): Promise<Listed> {
  const packages = new Map<string, Listing>();
  const unknown = new Set<string>();
  for (const [variant, platform] of platformsOf(target.record)) {
    const { packages: all, distribution } = await inventoryOf(store, platform, known);
    for (const found of all)
      if (!add(packages, found, variant, distribution)) unknown.add(`${found.type} ${found.name}`);
  }
  return { target, packages: [...packages.values()], unknown: unknown.size };
}

const platformsOf = ({ platforms, variants }: ImageRecord): [variant: string, platform: PlatformRecord][] => [
  ...platforms.map((platform): [string, PlatformRecord] => ["", platform]),
  ...Object.entries(variants).flatMap(([name, variant]) =>
    variant.platforms.map((platform): [string, PlatformRecord] => [name, platform]),
  ),
];

/** @returns false for what no advisory can be about */
function add(
  packages: Map<string, Listing>,
  found: Package,
  variant: string,
  distribution: Distribution | undefined,
): boolean {
  const subject = subjectOf(found, distribution);
  if (subject === undefined) return false;
  const key = `${found.type} ${found.name} ${found.version}`;
  const known = packages.get(key);
  if (known === undefined) packages.set(key, { found, subject, paths: [found.path], variants: [variant] });
  else {
    if (!known.paths.includes(found.path)) known.paths.push(found.path);
    if (!known.variants.includes(variant)) known.variants.push(variant);
  }
  return true;
}

const keyOf = ({ ecosystem, name, version }: Subject): string => JSON.stringify([ecosystem, name, version]);

const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

/** Advisories by what they are about, so that each package looks at its own alone. */
function indexed(advisories: readonly Advisory[]): Map<string, Advisory[]> {
  const byName = new Map<string, Advisory[]>();
  for (const advisory of advisories) {
    for (const name of new Set((advisory.affected ?? []).map((entry) => normal(entry.package?.name ?? "")))) {
      byName.set(name, [...(byName.get(name) ?? []), advisory]);
    }
  }
  return byName;
}

function judge({ target, packages, unknown }: Listed, byName: Map<string, Advisory[]>, today: string): ImageScan {
  const findings = packages.flatMap(({ found, subject, paths, variants }) =>
    findingsOn(found, subject, byName.get(normal(subject.name)) ?? []).map((finding) => ({
      ...finding,
      paths,
      ...(variants.includes("") ? {} : { variants }),
    })),
  );
  const { kept, ignored, problems } = sift(findings.sort(byWeight), target.own, target.inherited, today);
  const { name, digest } = target.record;
  return { name, digest, packages: packages.length, unknown, findings: kept, ignored, problems };
}

const rank = (level: Level): number => LEVELS.indexOf(level as (typeof LEVELS)[number]);

function byWeight(a: Finding, b: Finding): number {
  const order = rank(b.severity) - rank(a.severity) || (b.score ?? 0) - (a.score ?? 0);
  return order || compare(a.package, b.package) || compare(a.id, b.id);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
