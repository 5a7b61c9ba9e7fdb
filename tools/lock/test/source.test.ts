// Upstream repositories by themselves: what may be declared, and how their files come into the cache. (tools/cli/test/source.test.ts
// builds images from them.)

import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GitRepository, type RunningGitServer, startGitServer } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sourceDeclaration } from "../src/source/declaration.ts";
import { fetchSource } from "../src/source/fetch-source.ts";
import { explainGit } from "../src/source/git.ts";
import { prepareSource } from "../src/source/prepare.ts";
import { newestVersion, resolveVersion } from "../src/source/versions.ts";

describe("a declared source", () => {
  const accepts = (source: object): boolean =>
    sourceDeclaration.safeParse({ repository: "https://host/a", version: "v1", ...source }).success;

  test.each([
    "https://github.com/a/b",
    "ssh://git@host:22/a.git",
    "git@host:a/b.git",
    "up.bundle",
    "file:///srv/a.git",
  ])("may be at %s", (repository) => expect(accepts({ repository })).toBe(true));

  test.each([
    "https://user:secret@host/a",
    "https://token@host/a",
    "ext::sh -c id",
    "--upload-pack=id",
    "-x.bundle",
    "../up.bundle/../../x",
    "/etc",
    "",
  ])("may not be at %j: credentials would reach the lock, the others git would read as something else", (repository) =>
    expect(accepts({ repository })).toBe(false),
  );

  test.each(["--exec=id", "a..b", "-v1", ""])("has no version %j", (version) =>
    expect(accepts({ version })).toBe(false),
  );

  test.each(["/etc/passwd", "../Dockerfile", "a/../../b"])("has no Dockerfile outside itself: %s", (dockerfile) =>
    expect(accepts({ dockerfile })).toBe(false),
  );
});

describe("an upstream repository", () => {
  let server: RunningGitServer;
  let upstream: GitRepository;
  let folder = "";
  let commit = "";
  const options = () => ({ imageFolder: folder, cacheDir: join(folder, "cache") });
  const wanted = () => ({ repository: upstream.url, version: "v1.9.0", dockerfile: "Dockerfile" });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "waybill-source-"));
    server = await startGitServer();
    upstream = await server.repository("app");
    await upstream.commit({ Dockerfile: "FROM scratch\n", "run.sh": "#!/bin/sh\n", "a b/c": "c\n" });
    await chmod(join(upstream.folder, "run.sh"), 0o700);
    commit = await upstream.commit({});
    for (const tag of ["v1.9.0", "v1.10.0", "v1.11.0-rc.1", "v1.2.3", "nightly", "other-9.0.0"])
      await upstream.git("tag", tag);
    await upstream.git("branch", "stable");
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  test("tells tags, branches and commits apart", async () => {
    const resolve = (version: string) => resolveVersion(upstream.url, version, folder);
    expect(await resolve("v1.9.0")).toEqual({ commit, kind: "tag" });
    expect(await resolve("stable")).toEqual({ commit, kind: "branch" });
    expect(await resolve(commit)).toEqual({ commit, kind: "commit" });
    await expect(resolve("v7")).rejects.toThrow(`${upstream.url} has no tag or branch v7, `);
  });

  test("has a newest version by number, of the same form, and no pre-release unless one is used", async () => {
    const newest = (version: string) => newestVersion(upstream.url, version, folder);
    expect(await newest("v1.9.0")).toBe("v1.10.0");
    expect(await newest("v1.11.0-beta.1")).toBe("v1.11.0-rc.1");
    expect(await newest("stable")).toBe("stable");
    expect(await newest(commit)).toBe(commit);
  });

  test("is fetched by two at once to one folder, with modes that are git's", async () => {
    const source = { repository: upstream.url, version: "v1.9.0", commit };
    const [one, other] = await Promise.all([fetchSource(source, options()), fetchSource(source, options())]);
    expect(one).toEqual(other);
    expect(await readdir(join(folder, "cache/sources"))).toEqual([one.tree]);
    expect((await readdir(one.folder)).toSorted()).toEqual(["Dockerfile", "a b", "run.sh"]);
    const mode = async (name: string) => ((await stat(join(one.folder, name))).mode & 0o777).toString(8);
    expect([await mode("run.sh"), await mode("Dockerfile"), await mode("a b")]).toEqual(["755", "644", "755"]);
  });

  test("without its commit is refused, and leaves nothing", async () => {
    const gone = { repository: upstream.url, version: "v1.9.0", commit: "f".repeat(40) };
    await expect(fetchSource(gone, options())).rejects.toThrow(`no longer has the commit ${gone.commit} (v1.9.0)`);
    expect((await readdir(join(folder, "cache/sources"))).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("patched is a folder beside it; the one that was fetched stays as it was", async () => {
    const fetched = await fetchSource({ repository: upstream.url, version: "v1.9.0", commit }, options());
    await rm(join(folder, "patches"), { recursive: true, force: true });
    await mkdir(join(folder, "patches"));
    const patch = "--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1 +1,2 @@\n FROM scratch\n+LABEL patched=yes\n";
    await writeFile(join(folder, "patches/0001-label.patch"), patch);
    const prepared = await prepareSource(fetched, wanted(), options());
    expect(prepared.dockerfile).toEqual(["FROM scratch", "LABEL patched=yes", ""]);
    expect(prepared.folder).not.toBe(fetched.folder);
    expect(await readFile(join(fetched.folder, "Dockerfile"), "utf8")).toBe("FROM scratch\n");
    expect(await prepareSource(fetched, wanted(), options())).toEqual(prepared);
  });
});

describe("what git says when it fails", () => {
  test.each([
    ["fatal: Authentication failed for 'https://host/a'", "the git server wants credentials"],
    [
      "fatal: could not read Username for 'https://host': terminal prompts disabled",
      "the git server wants credentials",
    ],
    ["fatal: unable to access 'https://host/a': Could not resolve host: host", "the git server can't be reached"],
    ["error: RPC failed; curl 56\nfatal: early EOF", "the git server can't be reached"],
    ["fatal: repository 'https://host/a' not found", "there is no git repository"],
    ["fatal: bad object deadbeef", "git failed (bad object deadbeef)"],
  ])("%j is one line", (stderr, what) => {
    expect(explainGit(stderr, "https://host/a").message.startsWith(`${what}, https://host/a`)).toBe(true);
  });
});
