// The images of the repo as they were at a commit, in a folder of their own: neither the working tree nor git's index is touched.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WaybillError, run } from "@waybill/oci";
import { workspaceRoot } from "./workspace.ts";

/** Calls `action` with the folder, which is gone after that. @throws {WaybillError} there is no such commit */
export async function withCheckout<T>(commit: string, action: (root: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "waybill-commit-"));
  try {
    const root = join(folder, "root");
    await checkOut(commit, `${root}/`, join(folder, "index"));
    return await action(root);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function checkOut(commit: string, prefix: string, index: string): Promise<void> {
  const cwd = workspaceRoot();
  const options = { cwd, env: { GIT_INDEX_FILE: index } };
  const { exitCode } = await run("git", ["rev-parse", "--verify", "--quiet", `${commit}^{commit}`], { cwd });
  if (exitCode !== 0) {
    const mend = "name a commit, a branch or a tag of this repo, or the file of a record";
    throw new WaybillError(`there is no commit "${commit}"`, { mend });
  }
  await run("git", ["read-tree", commit], { ...options, check: true });
  const { stdout } = await run("git", ["ls-files", "-z", "--", "images", "nx.json"], { ...options, check: true });
  await run("git", ["checkout-index", "-z", "--stdin", `--prefix=${prefix}`], {
    ...options,
    input: stdout,
    check: true,
  });
}
