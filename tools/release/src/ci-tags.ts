// The tags of a push that names none: by the rules of container-metadata, as its users know them, from what CI tells of the run.

import { fileURLToPath } from "node:url";
import { WaybillError, parseJson, run } from "@waybill/oci";

const PROGRAM = fileURLToPath(new URL("ci-tags-program.ts", import.meta.url));

/**
 * In CI `sha-<commit>`, `latest` on the default branch, `pr-<number>` for a pull request (INPUT_TAGS replaces these rules); elsewhere
 * `sha-<commit>`, where nothing in the work tree differs from the commit.
 * @param root of the workspace
 * @throws {WaybillError} CI doesn't tell what the rules need
 */
export async function ciTags(root: string): Promise<string[]> {
  if (process.env["CI"] === undefined) return await localTags(root);
  const token = process.env["GITHUB_TOKEN"];
  if (process.env["GITHUB_ACTIONS"] === "true" && token === undefined) {
    const mend = "give the step `env: GITHUB_TOKEN: ${{ github.token }}`, or name tags with --tag";
    throw new WaybillError("tags come from what GitHub tells of the repository, and there is no GITHUB_TOKEN", {
      mend,
    });
  }
  // In a process of its own: the library reads the environment once, loads all of Nx's devkit, and prints what it finds.
  const { exitCode, stdout, stderr } = await run(process.execPath, [PROGRAM], {
    cwd: root,
    env: token === undefined ? {} : { INPUT_GITHUB_TOKEN: token },
  });
  if (exitCode === 0) return parseJson(stdout.trim().split("\n").at(-1) ?? "", "container-metadata") as string[];
  const reason = /^\w*Error: (.*)$/m.exec(stderr)?.[1] ?? `exit ${exitCode}`;
  throw new WaybillError(`container-metadata can't tell the tags (${reason})`, { mend: "name tags with --tag" });
}

async function localTags(root: string): Promise<string[]> {
  const changed = await run("git", ["-C", root, "status", "--porcelain"]);
  const head = await run("git", ["-C", root, "rev-parse", "HEAD"]);
  // A commit that isn't what was built names nothing.
  const clean = changed.exitCode === 0 && changed.stdout.trim() === "" && head.exitCode === 0;
  return clean ? [`sha-${head.stdout.trim()}`] : [];
}
