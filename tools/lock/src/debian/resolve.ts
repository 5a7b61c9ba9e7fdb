// From what a set asks for to the packages that answer it, for one architecture.

import type { PackageSetDeclaration } from "../declaration.ts";
import { parseDebianName } from "../declaration.ts";
import type { DebianPackage } from "../schema.ts";
import { openApt } from "./apt.ts";
import type { DebianArchitecture, DebianSources } from "./archive.ts";
import { dpkgStatus } from "./status.ts";

interface ResolveOptions {
  sources: DebianSources;
  arch: DebianArchitecture;
  /** What is there already and so not part of the set. */
  installed: readonly DebianPackage[];
  onProgress?: ((line: string) => void) | undefined;
}

/** The suites a set takes named packages from, besides its own. */
export function extraSuitesOf({ debian, suite }: PackageSetDeclaration): string[] {
  const asked = debian.map((text) => parseDebianName(text).suite).filter((one) => one !== undefined);
  const known = new Set([suite, `${suite}-updates`, `${suite}-security`]);
  return [...new Set(asked)].filter((one) => !known.has(one)).sort();
}

/**
 * The newest packages that satisfy a set, sorted by name.
 * @throws {WaybillError} no apt here, an unknown name, dependencies that can't be met, indexes that can't be read
 */
export async function resolvePackages(set: PackageSetDeclaration, options: ResolveOptions): Promise<DebianPackage[]> {
  const { sources, arch, installed, onProgress } = options;
  const apt = await openApt({ sources, arch, suite: set.suite, extraSuites: extraSuitesOf(set), onProgress });
  if (!set.dependencies) return sorted(await apt.candidates(set.debian));
  const names = set.essential ? ["?essential", ...set.debian] : set.debian;
  const solved = await apt.solve(names, await dpkgStatus(apt, installed, set.without));
  // apt takes an installed package anew where its stanza differs from the index's, as those of dpkgStatus do.
  const there = new Set(installed.map(versioned));
  return sorted(solved.filter((one) => !there.has(versioned(one))));
}

function versioned({ name, version, arch }: DebianPackage): string {
  return `${name} ${version} ${arch}`;
}

function sorted(packages: readonly DebianPackage[]): DebianPackage[] {
  return [...packages].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
