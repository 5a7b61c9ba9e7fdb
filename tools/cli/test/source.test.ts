// An image from an upstream git repository, from a real git server: locked, built, offline afterwards; and what goes wrong with it.

import { randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type GitRepository, type RunningGitServer, startGitServer } from "@waybill/testing";
import { sourcesFolder } from "@waybill/lock/source/fetch-source";
import { BlobStore, readTree } from "@waybill/oci";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { busybox } from "../../image/test/support/busybox.ts";
import { Workspace } from "../../image/test/support/workspace.ts";

/** With all that upstreams do: a frontend image, bases of Docker Hub, a submodule, a build arg. */
const DOCKERFILE = `# syntax=docker/dockerfile:1
FROM node:24-alpine AS builder
ARG greeting=hello
WORKDIR /ui
COPY index.html ./
COPY library/ library/
RUN /bin/busybox sed -i "s/GREETING/$greeting/" index.html

FROM docker.io/library/nginx:1
COPY --from=builder /ui /www
USER 65532
`;
const BASES = { "docker.io/library/node:24-alpine": "waybill/shell", "nginx:1": "waybill/shell" };
const HISTORY = 30;
const MB = 1_000_000;

interface Lock {
  source: { repository: string; version: string; commit: string; tree: string; dockerfile: string[] };
}

describe("an image from an upstream repository", { timeout: 240_000 }, () => {
  let server: RunningGitServer;
  let upstream: GitRepository;
  let workspace: Workspace;
  const trees = new Set<string>();

  const lock = async (): Promise<Lock> => {
    const read = JSON.parse(await workspace.read("images/ui/image.lock.json")) as Lock;
    trees.add(read.source.tree);
    return read;
  };
  const declare = (source: object, more: object = {}): Promise<void> =>
    workspace.write({
      "images/ui/project.json": {
        name: "ui",
        metadata: {
          image: {
            source: { repository: upstream.url, version: "v1.0.0", bases: BASES, ...source },
            healthcheck: "none: files alone",
            ...more,
          },
        },
      },
    });
  const textOf = async (path: string): Promise<string | undefined> => {
    const [platform] = (await workspace.record("ui")).platforms;
    const tree = await readTree(new BlobStore(workspace.store), platform?.layers ?? [], { headBytes: () => 1000 });
    return tree.get(path)?.head.toString("utf8");
  };

  beforeAll(async () => {
    server = await startGitServer();
    const library = await server.repository("library");
    await library.commit({ "shared.js": randomBytes(20).toString("hex") });
    upstream = await server.repository("ui");
    // A history that no build needs, of files that don't compress.
    for (let count = 0; count < HISTORY; count++) await upstream.commit({ "old.bin": randomBytes(MB / 10) });
    await upstream.git("submodule", "--quiet", "add", "../library", "library");
    await upstream.commit({ "old.bin": null, Dockerfile: DOCKERFILE, "index.html": "GREETING\n" });
    await upstream.git("tag", "--annotate", "--message=1.0.0", "v1.0.0");

    const { bin, lock: shell } = await busybox();
    workspace = await Workspace.create({
      "images/shell/Dockerfile": bin,
      "images/shell/.dockerignore": "*\n",
      "images/shell/project.json": { name: "shell" },
      "images/shell/image.lock.json": shell,
      "images/ui/package.json": { name: "@waybill/ui", version: "0.1.0", private: true },
    });
    await declare({});
    await workspace.build("shell");
  }, 240_000);
  afterAll(async () => {
    await server.stop();
    const sources = await readdir(sourcesFolder());
    for (const name of sources.filter((each) => trees.has(each.split("-")[0] as string))) {
      await rm(join(sourcesFolder(), name), { recursive: true });
    }
    await workspace.remove();
  });

  test("is refused while it isn't locked, with the mend", async () => {
    const { exitCode, stderr } = await workspace.waybill("build", "ui");
    expect(exitCode).toBe(2);
    expect(stderr.trim()).toBe(
      "waybill: the upstream repository isn't locked, images/ui/project.json: `npx waybill lock ui`",
    );
  });

  test("is locked by commit and tree, fetched without its history", async () => {
    const before = server.sent();
    const { exitCode, stdout, stderr } = await workspace.waybill("lock", "ui");
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(/source +http:\S+ +- +v1\.0\.0 \([0-9a-f]{12}\)/);
    const { source } = await lock();
    expect(source.commit).toBe(await upstream.git("rev-parse", "v1.0.0^{commit}"));
    expect(source.tree).toBe(await upstream.git("rev-parse", "v1.0.0^{tree}"));
    expect(source.dockerfile).toContain("FROM node:24-alpine AS builder");
    expect(server.sent() - before).toBeLessThan((HISTORY * MB) / 10 / 2);
    expect((await workspace.waybill("lock", "--check", "ui")).exitCode).toBe(0);
  });

  test("gives Nx a project with an edge to what stands in for upstream's base, from the lock alone", async () => {
    const { stdout, exitCode, stderr } = await workspace.nx("graph", "--file=.state/graph.json");
    expect(exitCode, stdout + stderr).toBe(0);
    const { graph } = JSON.parse(await workspace.read(".state/graph.json")) as {
      graph: { nodes: Record<string, unknown>; dependencies: Record<string, { target: string }[]> };
    };
    expect(Object.keys(graph.nodes)).toContain("ui");
    expect(graph.dependencies["ui"]?.map(({ target }) => target)).toEqual(["shell"]);
  });

  test("is built with upstream's Dockerfile, submodules in it, and stands on our base", async () => {
    await workspace.build("ui");
    const record = await workspace.record("ui");
    expect(record.bases).toEqual([{ reference: "waybill/shell", digest: (await workspace.record("shell")).digest }]);
    expect(await textOf("www/index.html")).toBe("hello\n");
    expect(await textOf("www/library/shared.js")).toMatch(/^[0-9a-f]{40}$/);
    expect(await textOf("www/library/.git")).toBeUndefined();
    const { mode } = await stat(join(sourcesFolder(), (await lock()).source.tree, "index.html"));
    expect((mode & 0o777).toString(8)).toBe("644");
  });

  test("takes build args that upstream's Dockerfile uses, and no others", async () => {
    const { exitCode, stderr } = await workspace.waybill("build", "ui", "--build-arg", "ui_path=/ui");
    expect(exitCode).toBe(2);
    expect(stderr.trim()).toBe(
      `waybill: upstream's Dockerfile doesn't use the build arg ui_path, ${upstream.url} v1.0.0 Dockerfile: its build args are greeting`,
    );
    expect((await workspace.waybill("build", "ui", "--build-arg", "greeting=ahoy")).exitCode).toBe(0);
    expect(await textOf("www/index.html")).toBe("ahoy\n");
  });

  test("takes another version or repository for one build, and leaves the lock alone", async () => {
    const before = await workspace.read("images/ui/image.lock.json");
    await upstream.git("switch", "--quiet", "--create", "next");
    await upstream.commit({ "index.html": "next GREETING\n" });
    trees.add(await upstream.git("rev-parse", "next^{tree}"));
    await upstream.git("switch", "--quiet", "main");
    const { exitCode, stderr } = await workspace.waybill("build", "ui", "--source-version", "next");
    expect(exitCode, stderr).toBe(0);
    expect(await textOf("www/index.html")).toBe("next hello\n");
    const asked = ["--source-version=next", "--build-arg=greeting=ahoy"];
    const throughNx = await workspace.nx("run", "ui:docker-build", ...asked, "--excludeTaskDependencies");
    expect(throughNx.exitCode, throughNx.stdout + throughNx.stderr).toBe(0);
    expect(await textOf("www/index.html")).toBe("next ahoy\n");
    const elsewhere = await workspace.waybill("build", "ui", "--source-repo", `${server.url}/nowhere`);
    expect(elsewhere.exitCode).toBe(2);
    expect(elsewhere.stderr).toContain(`waybill: there is no git repository, ${server.url}/nowhere: check`);
    const missing = await workspace.waybill("build", "ui", "--source-version", "v9");
    expect(missing.stderr).toContain("has no tag or branch v9, images/ui/project.json: its newest tags are v1.0.0");
    expect(await workspace.read("images/ui/image.lock.json")).toBe(before);
  });

  test("has the image's patches, and names the one that no longer applies", async () => {
    const patch = (from: string, to: string): string =>
      `--- a/index.html\n+++ b/index.html\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
    await workspace.write({ "images/ui/patches/0001-polite.patch": patch("GREETING", "GREETING, dear reader") });
    expect((await workspace.waybill("build", "ui")).exitCode).toBe(0);
    expect(await textOf("www/index.html")).toBe("hello, dear reader\n");
    await workspace.write({ "images/ui/patches/0002-late.patch": patch("GREETING", "too late") });
    const { exitCode, stderr } = await workspace.waybill("build", "ui");
    expect(exitCode).toBe(2);
    expect(stderr.trim()).toBe(
      `waybill: the patch doesn't apply to ${upstream.url} v1.0.0 (index.html:1), images/ui/patches/0002-late.patch: make it again from that version, or delete it where upstream has the change`,
    );
    await rm(workspace.path("images/ui/patches"), { recursive: true });
  });

  test("passes lint, and tells a build arg that upstream has no use for", async () => {
    await workspace.build("ui");
    expect((await workspace.waybill("edges", "--fix")).stdout).toContain("@waybill/shell");
    expect((await workspace.waybill("lint", "ui")).stdout.trim()).toBe("ui: no findings");
    await declare({}, { buildArgs: { ui_path: "/" } });
    const { exitCode, stdout } = await workspace.waybill("lint", "ui");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("there is no ARG ui_path");
    await declare({});
  });

  test("prints what workflows ask: build args alone, and the image's values with the source's", async () => {
    await declare({}, { buildArgs: { greeting: "hello" }, repository: "upstream/ui" });
    const [args, values] = [await workspace.waybill("build-args", "ui"), await workspace.waybill("image-values", "ui")];
    expect(args.stdout).toBe("greeting=hello\n");
    expect(values.stdout.split("\n")).toEqual([
      "TARGET_IMAGE=ghcr.io/acme/images/upstream/ui:1.0.0",
      "TARGET_IMAGE_REPO=ghcr.io/acme/images/upstream/ui",
      "TARGET_IMAGE_VERSION=1.0.0",
      `SOURCE_REPO=${upstream.url}`,
      "SOURCE_VERSION=v1.0.0",
      `SOURCE_COMMIT=${(await lock()).source.commit}`,
      "",
    ]);
    const other = await workspace.waybill("image-values", "ui", "--source-version", "v1.2.0");
    expect(other.stdout).toContain("TARGET_IMAGE=ghcr.io/acme/images/upstream/ui:1.2.0\n");
    expect(other.stdout).not.toContain("SOURCE_COMMIT");
    await declare({});
  });

  test("refuses a tag that moved, when locking and when fetching, and names both commits", async () => {
    const { source } = await lock();
    const moved = await upstream.commit({ "index.html": "another GREETING\n" });
    await upstream.git("tag", "--force", "v1.0.0");
    const line = `waybill: the tag v1.0.0 of ${upstream.url} moved from ${source.commit} to ${moved}, images/ui/image.lock.json: `;
    const locking = await workspace.waybill("lock", "ui");
    expect(locking.exitCode).toBe(2);
    expect(locking.stderr).toContain(line);

    await rm(join(sourcesFolder(), source.tree), { recursive: true });
    const building = await workspace.waybill("build", "ui");
    expect(building.exitCode).toBe(2);
    expect(building.stderr).toContain(line);
    await upstream.git("tag", "--force", "v1.0.0", source.commit);
    await workspace.build("ui");
  });

  test("is updated to the newest release, with a changeset that moves the image's version as upstream's moved", async () => {
    for (const [version, page] of [
      ["v1.2.0", "1.2 GREETING\n"],
      ["v1.10.0", "1.10 GREETING\n"],
      ["v2.0.0-rc.1", "2 GREETING\n"],
    ] as const) {
      await upstream.commit({ "index.html": page });
      await upstream.git("tag", version);
    }
    const project = await workspace.read("images/ui/project.json");
    const tried = await workspace.waybill("update", "ui", "--to", "v9.0.0");
    expect(tried.exitCode).toBe(2);
    expect(tried.stderr).toContain("its newest tags are v2.0.0-rc.1, v1.10.0, v1.2.0, v1.0.0");
    expect(await workspace.read("images/ui/project.json")).toBe(project);

    const dry = await workspace.waybill("update", "ui", "--dry-run");
    expect(dry.stdout).toMatch(/v1\.0\.0 \(\w{12}\) +v1\.10\.0 \(\w{12}\)/);
    expect(await workspace.read("images/ui/project.json")).toBe(project);

    const { exitCode, stdout, stderr } = await workspace.nx("run", "ui:update");
    expect(exitCode, stdout + stderr).toBe(0);
    expect(await workspace.read("images/ui/project.json")).toBe(project.replace('"v1.0.0"', '"v1.10.0"'));
    expect((await lock()).source.version).toBe("v1.10.0");
    const [file, ...more] = await readdir(workspace.path(".changeset"));
    expect(more).toEqual([]);
    const note = await workspace.read(`.changeset/${file}`);
    expect(note).toContain('---\n"@waybill/ui": minor\n---\n\nui: pins moved\n\n- ');
    expect(note).toMatch(/v1\.0\.0 \(\w{12}\) → v1\.10\.0 \(\w{12}\)/);
    await workspace.build("ui");
    expect(await textOf("www/index.html")).toBe("1.10 hello\n");

    expect((await workspace.waybill("update", "ui")).stdout.trim()).toBe("ui: up to date");
    expect((await workspace.waybill("update", "ui", "--to", "v1.0.0")).exitCode).toBe(0);
    await workspace.build("ui");
  });

  test("refuses to choose a version for an image that takes what Debian has", async () => {
    const { exitCode, stderr } = await workspace.waybill("update", "shell", "--to", "1.38");
    expect(exitCode).toBe(2);
    expect(stderr.trim()).toBe(
      "waybill: shell takes what its upstreams have: there is no one version to choose, images/shell/project.json: leave --to out; another Debian suite is chosen in project.json",
    );
  });

  test("refuses a lock whose tree isn't the commit's", async () => {
    const text = await workspace.read("images/ui/image.lock.json");
    const { source } = await lock();
    const forged = "0123456789".repeat(4);
    await workspace.write({ "images/ui/image.lock.json": text.replace(source.tree, forged) });
    const { exitCode, stderr } = await workspace.waybill("build", "ui");
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`has the tree ${source.tree}, the lock says ${forged}`);
    await workspace.write({ "images/ui/image.lock.json": text });
  });

  test("is built again from nothing when the server is gone, to the same digest", async () => {
    await workspace.build("ui");
    const { digest } = await workspace.record("ui");
    await server.stop();
    await rm(join(workspace.store, "blobs"), { recursive: true });
    await workspace.build("shell", "ui");
    expect((await workspace.record("ui")).digest).toBe(digest);
    const asked = await workspace.waybill("lock", "ui");
    expect(asked.exitCode).toBe(2);
    expect(asked.stderr).toContain(`the git server can't be reached, ${upstream.url}: try again`);
  });
});
