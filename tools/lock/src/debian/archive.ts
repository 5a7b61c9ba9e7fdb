// Where Debian's files are: the archive, its security part, the snapshot archive, and how a package's file is named.

import type { DebianPackage } from "../schema.ts";

export interface DebianSources {
  /** Root URLs without a slash at the end. */
  archive: string;
  security: string;
  snapshot: string;
  /** OpenPGP keys that sign the archive's indexes. */
  keyring: string;
}

/** Debian's own places, or those that WAYBILL_DEBIAN_MIRROR, _SECURITY_MIRROR, _SNAPSHOT and _KEYRING name. */
export function debianSources(env: NodeJS.ProcessEnv = process.env): DebianSources {
  const archive = trim(env.WAYBILL_DEBIAN_MIRROR || "http://deb.debian.org/debian");
  return {
    archive,
    // Mirrors keep the security archive beside the main one, as /debian-security.
    security: trim(env.WAYBILL_DEBIAN_SECURITY_MIRROR || `${archive}-security`),
    snapshot: trim(env.WAYBILL_DEBIAN_SNAPSHOT || "http://snapshot.debian.org"),
    keyring: env.WAYBILL_DEBIAN_KEYRING || "/usr/share/keyrings/debian-archive-keyring.gpg",
  };
}

function trim(url: string): string {
  return url.replace(/\/+$/, "");
}

/** The URL of a locked package. The security archive's pool begins with "pool/updates/", the main one's never does. */
export function packageUrl(sources: DebianSources, { path }: Pick<DebianPackage, "path">): string {
  const root = path.startsWith("pool/updates/") ? sources.security : sources.archive;
  // A "+" of a version is literal in a path, but some mirrors and caches read it as a space.
  return `${root}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** The name of a package's file in a build context: "<name>_<version>_<arch>.deb" with an epoch's ":" as %3a, as apt names it. */
export function packageFileName({ name, version, arch }: Pick<DebianPackage, "name" | "version" | "arch">): string {
  return `${name}_${version.replaceAll(":", "%3a")}_${arch}.deb`;
}

const ARCHITECTURES: Record<string, DebianArchitecture> = {
  "linux/amd64": "amd64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
  "linux/arm/v7": "armhf",
  "linux/386": "i386",
  "linux/ppc64le": "ppc64el",
  "linux/riscv64": "riscv64",
  "linux/s390x": "s390x",
};

export type DebianArchitecture = "amd64" | "arm64" | "armhf" | "i386" | "ppc64el" | "riscv64" | "s390x";

/** The OCI platform of a Debian architecture. */
export function platformOf(arch: DebianArchitecture): string {
  const platform = Object.keys(ARCHITECTURES).find((one) => ARCHITECTURES[one] === arch);
  if (platform === undefined) throw new Error(`no platform for ${arch}`);
  return platform;
}

/** Debian's name of an OCI platform, or undefined where Debian has no such port. */
export function debianArchitecture(platform: string): DebianArchitecture | undefined {
  return ARCHITECTURES[platform];
}
