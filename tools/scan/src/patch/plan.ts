// Which pins a patch moves, as data: those of packages that an advisory names and a newer version mends, and those that Debian itself
// has mended. Nothing else moves.

import type { Image } from "@waybill/image";
import { type NewerOptions, type NewerPackage, newerPackages } from "@waybill/lock";
import type { Finding } from "../finding.ts";
import { compareDebian } from "../versions/debian.ts";
import { compareSemver } from "../versions/semver.ts";
import type { Chain } from "./chain.ts";

export interface Move {
  /** The image whose lock has the pin. */
  image: string;
  name: string;
  /** Architectures, sorted. */
  archs: string[];
  from: string;
  to: string;
  /** Vulnerabilities that it mends; empty where Debian's archive alone says that it mends something. */
  mends: string[];
}

export interface LockMoves {
  image: Image;
  newer: NewerPackage[];
}

export interface PatchPlan {
  moves: Move[];
  locks: LockMoves[];
}

/**
 * Asks Debian's archive. Changes nothing.
 * @param findings of all the images that the chains are of
 * @throws {WaybillError} the archive can't be asked
 */
export async function planPatch(
  chains: readonly Chain[],
  findings: readonly Finding[],
  options: NewerOptions,
): Promise<PatchPlan> {
  const known = new Map<Image, Promise<NewerPackage[]>>();
  const newerIn = (image: Image): Promise<NewerPackage[]> => {
    const newer = known.get(image) ?? newerPackages(image.folder, options);
    known.set(image, newer);
    return newer;
  };
  const chosen = new Map<Image, Set<NewerPackage>>();
  const choose = (image: Image, newer: readonly NewerPackage[]): void => {
    const set = chosen.get(image) ?? new Set<NewerPackage>();
    for (const one of newer) set.add(one);
    if (set.size > 0) chosen.set(image, set);
  };
  for (const image of unique(chains.flatMap(({ standsOn }) => standsOn))) {
    const newer = await newerIn(image);
    choose(
      image,
      withSiblings(
        newer.filter((one) => one.isFix || mendedBy(one, findings).length > 0),
        newer,
      ),
    );
  }
  const left = findings.filter((finding) => finding.fixed !== undefined && !isMet(finding, chosen));
  // In what an image is built with only what is missing so far is looked for: its compiler, a shell that a variant copies.
  for (const image of left.length === 0 ? [] : unique(chains.flatMap(({ builtFrom }) => builtFrom))) {
    const newer = await newerIn(image);
    choose(
      image,
      withSiblings(
        newer.filter((one) => mendedBy(one, left).length > 0),
        newer,
      ),
    );
  }
  const locks = [...chosen].map(([image, newer]) => ({ image, newer: [...newer] }));
  return { locks, moves: locks.flatMap((lock) => movesOf(lock, findings)) };
}

const unique = <T>(items: readonly T[]): T[] => [...new Set(items)];

/** openssl depends on the libssl of its own version: what is built from one source moves together. */
const withSiblings = (chosen: readonly NewerPackage[], all: readonly NewerPackage[]): NewerPackage[] =>
  all.filter((one) =>
    chosen.some(({ set, arch, source }) => set === one.set && arch === one.arch && source.name === one.source.name),
  );

/** The findings that the newer version has the fix of. */
export const mendedBy = (one: NewerPackage, findings: readonly Finding[]): Finding[] =>
  findings.filter(({ fixed, type, package: name, version }) => {
    if (fixed === undefined) return false;
    if (type === "golang" && name === "stdlib") return isGo(one, fixed);
    return (
      type === "deb" && name === one.name && version === one.locked && compareDebian(one.source.version, fixed) >= 0
    );
  });

/** Go's own library is in programs by the compiler that made them: "1.27.5-1~bpo13+1" of golang-1.27 is Go 1.27.5. */
function isGo({ source, newest }: NewerPackage, fixed: string): boolean {
  if (!/^golang-\d+\.\d+$/.test(source.name)) return false;
  return compareSemver(newest.version.replace(/^\d+:/, "").replace(/[-~+].*$/, ""), fixed) >= 0;
}

const isMet = (finding: Finding, chosen: ReadonlyMap<Image, ReadonlySet<NewerPackage>>): boolean =>
  [...chosen.values()].some((set) => [...set].some((one) => mendedBy(one, [finding]).length > 0));

function movesOf({ image, newer }: LockMoves, findings: readonly Finding[]): Move[] {
  const groups = Map.groupBy(newer, ({ name, locked, newest }) => `${name} ${locked} ${newest.version}`);
  return [...groups.values()].map((group) => {
    const { name, locked, newest } = group[0] as NewerPackage;
    const mends = unique(group.flatMap((one) => mendedBy(one, findings).map(({ id }) => id))).sort();
    const archs = unique(group.map(({ arch }): string => arch)).sort();
    return { image: image.name, name, archs, from: locked, to: newest.version, mends };
  });
}
