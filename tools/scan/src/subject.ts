// A package as advisories name it: Debian's by their source package, Go's own library as "stdlib".

import type { Distribution, Package, PackageType } from "@waybill/inventory";
import { compareDebian } from "./versions/debian.ts";
import { comparePep440 } from "./versions/pep440.ts";
import { compareSemver } from "./versions/semver.ts";

export interface Subject {
  /** Of OSV: "Debian:13", "npm", "PyPI", "Go". */
  ecosystem: string;
  name: string;
  version: string;
}

const ECOSYSTEMS: Record<Exclude<PackageType, "deb">, string> = { npm: "npm", pypi: "PyPI", golang: "Go" };

/**
 * What advisories are asked for.
 * @param distribution of the image; without one its Debian packages are those that Waybill's bases are made of
 * @returns undefined for what no advisory can be about: a module of one's own that has no version, another distribution's packages
 */
export function subjectOf(found: Package, distribution: Distribution | undefined): Subject | undefined {
  const { type, name, version } = found;
  if (type !== "deb") {
    if (version === "(devel)" || version === "") return undefined;
    return { ecosystem: ECOSYSTEMS[type], name, version: type === "golang" ? version.replace(/^v/, "") : version };
  }
  const { id, version: release } = distribution ?? { id: "debian", version: "13" };
  if (id !== "debian") return undefined;
  // Testing and unstable have no VERSION_ID: "Debian" alone asks for all releases.
  const ecosystem = release === "" ? "Debian" : `Debian:${release.split(".")[0]}`;
  return { ecosystem, name: found.source?.name ?? name, version: found.source?.version ?? version };
}

/** The order of an ecosystem's versions. @param ecosystem with or without a release: "Debian:13" */
export function orderOf(ecosystem: string): (a: string, b: string) => number {
  if (ecosystem === "Debian" || ecosystem.startsWith("Debian:")) return compareDebian;
  return ecosystem === "PyPI" ? comparePep440 : compareSemver;
}
