// What git tells of the commit that is released.

import { WaybillError, run } from "@waybill/oci";

export interface Commit {
  revision: string;
  /** Of the commit, RFC 3339 in UTC. */
  created: string;
}

/** @param name "HEAD", "refs/tags/@acme/api@1.4.2" @throws {WaybillError} there is no such commit */
export async function commitOf(root: string, name = "HEAD"): Promise<Commit> {
  const told = await git(root, ["show", "--no-patch", "--format=%H %ct", `${name}^{commit}`]);
  const [revision = "", seconds = ""] = told.split(" ");
  return { revision, created: new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/, "Z") };
}

export async function tagsOf(root: string): Promise<Set<string>> {
  return new Set((await git(root, ["tag", "--list"])).split("\n").filter((line) => line !== ""));
}

/** @throws {WaybillError} git doesn't know who we are, and so makes no tag with a message */
export async function assertCanTag(root: string): Promise<void> {
  const { exitCode } = await run("git", ["-C", root, "var", "GIT_COMMITTER_IDENT"]);
  if (exitCode === 0) return;
  const mend = "git config user.name NAME, and git config user.email ADDRESS";
  throw new WaybillError("git doesn't know who makes the tags of a release", { where: root, mend });
}

/**
 * Sends tags to the remote. After the registries: whoever sees a tag can pull what it names.
 * @returns those that were sent; none where there is no remote
 * @throws {WaybillError} the remote refuses
 */
export async function pushTags(root: string, tags: readonly string[], remote = "origin"): Promise<readonly string[]> {
  const remotes = (await git(root, ["remote"])).split("\n");
  if (tags.length === 0 || !remotes.includes(remote)) return [];
  await git(root, ["push", "--quiet", remote, ...tags.map((tag) => `refs/tags/${tag}`)]);
  return tags;
}

async function git(root: string, args: string[]): Promise<string> {
  return (await run("git", ["-C", root, "-c", "log.showSignature=false", ...args], { check: true })).stdout.trim();
}
