// A package in an image: what scanners, bills of materials and people who compare two images count.

/** As in a package URL (purl-spec, "type"). */
export type PackageType = "deb" | "npm" | "pypi" | "golang";

export interface Package {
  type: PackageType;
  name: string;
  version: string;
  /** Where its record lies in the image: "var/lib/dpkg/status.d/libc6", or the program that a Go module is linked into. */
  path: string;
  /** The layer that its record is in; 0 is the lowest. */
  layer: number;
  /** Of a Debian package what it was built from, where that has another name or version: advisories are about sources. */
  source?: { name: string; version: string };
  /** Unpacked bytes; absent where nothing tells, as for a module among others in one program. */
  size?: number;
}

export function comparePackages(a: Package, b: Package): number {
  return compare(a.type, b.type) || compare(a.name, b.name) || compare(a.version, b.version) || compare(a.path, b.path);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
