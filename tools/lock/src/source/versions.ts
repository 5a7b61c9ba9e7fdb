// Which commit a version of an upstream repository is, and which version is its newest.

import { join, relative } from "node:path";
import { WaybillError } from "@waybill/oci";
import { isBundle } from "./declaration.ts";
import { gitAt } from "./git.ts";

export interface ResolvedVersion {
  /** Hexadecimal, in full. */
  commit: string;
  /** A tag should stay where it is; a branch is there to move; a commit can't. */
  kind: "tag" | "branch" | "commit";
}

export const isCommit = (version: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(version);

/** What git is given: a bundle is named from the image's folder, everything else as it is. */
export const gitUrl = (repository: string, imageFolder: string): string =>
  isBundle(repository) ? join(imageFolder, repository) : repository;

/**
 * Asks the repository.
 * @throws {WaybillError} it can't be asked, or has no such version
 */
export async function resolveVersion(
  repository: string,
  version: string,
  imageFolder: string,
  signal?: AbortSignal,
): Promise<ResolvedVersion> {
  if (isCommit(version)) return { commit: version, kind: "commit" };
  const [tag, branch] = [`refs/tags/${version}`, `refs/heads/${version}`];
  const names = [tag, `${tag}^{}`, branch];
  const refs = await listRefs(repository, imageFolder, names, signal);
  // An annotated tag is an object of its own; "^{}" is the commit it names.
  const tagged = refs.get(`${tag}^{}`) ?? refs.get(tag);
  if (tagged !== undefined) return { commit: tagged, kind: "tag" };
  const head = refs.get(branch);
  if (head !== undefined) return { commit: head, kind: "branch" };
  const newest = (await tagsOf(repository, imageFolder, signal)).slice(0, 5).join(", ");
  throw new WaybillError(`${repository} has no tag or branch ${version}`, {
    where: relative(process.cwd(), join(imageFolder, "project.json")),
    mend: newest === "" ? "it has no tags: name a branch or a commit" : `its newest tags are ${newest}`,
  });
}

/**
 * The newest version of the same kind: for "v1.2.0" the highest tag of that form, without pre-releases unless it is one itself; a
 * branch or commit stays what it is.
 */
export async function newestVersion(repository: string, version: string, imageFolder: string): Promise<string> {
  const form = formOf(version);
  if (form === undefined) return version;
  const tags = await tagsOf(repository, imageFolder);
  const newest = tags.find((tag) => {
    const other = formOf(tag);
    return other?.prefix === form.prefix && (other.suffix === "" || form.suffix !== "");
  });
  return newest ?? version;
}

/** "release-v1.2.3-rc.1" is "release-v", the numbers and "-rc.1". */
function formOf(version: string): { prefix: string; numbers: number[]; suffix: string } | undefined {
  const [, prefix = "", numbers, suffix = ""] = /^(\D*)(\d+(?:\.\d+)+)([-+].*)?$/.exec(version) ?? [];
  return numbers === undefined ? undefined : { prefix, numbers: numbers.split(".").map(Number), suffix };
}

/** All tags, those that are versions first and the highest before the others. */
async function tagsOf(repository: string, imageFolder: string, signal?: AbortSignal): Promise<string[]> {
  const refs = await listRefs(repository, imageFolder, ["refs/tags/*"], signal);
  const tags = [...refs.keys()].filter((name) => !name.endsWith("^{}")).map((name) => name.slice("refs/tags/".length));
  return tags.toSorted((one, other) => compareVersions(other, one));
}

/** As semver orders them: numbers by value, a pre-release before its release; what is no version comes before all. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [formOf(one), formOf(other)];
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  for (let at = 0; at < Math.max(a.numbers.length, b.numbers.length); at++) {
    const difference = (a.numbers[at] ?? 0) - (b.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if ((a.suffix === "") !== (b.suffix === "")) return a.suffix === "" ? 1 : -1;
  return a.suffix.localeCompare(b.suffix, "en", { numeric: true });
}

async function listRefs(
  repository: string,
  imageFolder: string,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Map<string, string>> {
  const url = gitUrl(repository, imageFolder);
  // Without a folder of its own, git would take the "origin" of a repository around us for an answer.
  const text = await gitAt(repository, ["ls-remote", "--quiet", "--", url, ...names], { cwd: "/", signal });
  const lines = text.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")]));
  return new Map(lines.map(([commit = "", name = ""]) => [name, commit]));
}
