// Two graphs of one repo: turbo's, of the package.json files, and Nx's, of the Dockerfiles. Whatever changes, both must name the same
// images, or CI would leave one out.

import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { affectedImages } from "../src/affected.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** The files of this repo in a folder of their own, as one commit; the packages that are installed are shared. */
function clone() {
  const root = mkdtempSync(join(tmpdir(), "waybill-affected-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const tracked = execFileSync("git", ["-C", ROOT, "ls-files", "-z"], { encoding: "utf8" }).split("\0");
  for (const file of tracked.filter((name) => name !== "")) cpSync(join(ROOT, file), join(root, file));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const git = (...args: string[]): string =>
    execFileSync("git", ["-C", root, "-c", "user.name=Test", "-c", "user.email=test@example.test", ...args], {
      encoding: "utf8",
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "all");
  return { root, git };
}

function affectedByNx(root: string): string[] {
  const env = {
    ...process.env,
    NX_DAEMON: "false",
    NX_ISOLATE_PLUGINS: "false",
    NX_WORKSPACE_DATA_DIRECTORY: join(root, ".nx/data"),
    NX_CACHE_DIRECTORY: join(root, ".nx/cache"),
  };
  const args = [
    "node_modules/nx/dist/bin/nx.js",
    "show",
    "projects",
    "--affected",
    "--base=HEAD~1",
    "--head=HEAD",
    "--json",
  ];
  const told = execFileSync(process.execPath, [...args, "--with-target=docker-build"], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  return (JSON.parse(told.slice(told.indexOf("["))) as string[]).sort();
}

/** One of each kind: asking about all would take turbo-ignore minutes. */
const AMONG = ["api", "downloader", "node", "oidc-proxy", "toolchain-go"];

test.each([
  ["an image", "images/downloader/Dockerfile", ["downloader"]],
  ["a base", "images/bases/node/Dockerfile", ["api", "node"]],
])("%s that changes: the same images by both", { timeout: 180_000 }, async (_name, file, least) => {
  const { root, git } = clone();
  appendFileSync(join(root, file), "# changed\n");
  git("commit", "--quiet", "--all", "--message", "changed");
  const images = await affectedImages(root, "HEAD~1", AMONG);
  expect(images).toEqual(affectedByNx(root).filter((name) => AMONG.includes(name)));
  expect(images).toEqual(expect.arrayContaining(least));
  expect(images).not.toContain("toolchain-go");
});

test("a commit that isn't there is one line", async () => {
  await expect(affectedImages(ROOT, "no-such-branch")).rejects.toThrow("git has no commit no-such-branch");
});
