// The record is a function of the image's files: not of the folder, the time, or who builds.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "./support/workspace.ts";

const FILES = {
  "images/base/Dockerfile": "FROM scratch\nCOPY . /base\nENV A=1\n",
  "images/base/.dockerignore": "*\n!file\n",
  "images/base/file": "the base\n",
  "images/app/Dockerfile":
    'ARG BASE=waybill/base\nFROM ${BASE} AS debug\nARG MODE\nLABEL mode=$MODE\nCOPY --chmod=755 file /run\nFROM debug\nUSER 65532:65532\nENTRYPOINT ["/run"]\nEXPOSE 8080\n',
  "images/app/.dockerignore": "*\n!file\n",
  "images/app/file": "the app\n",
  "images/app/project.json": {
    name: "app",
    metadata: { image: { buildArgs: { MODE: "serve" }, variants: { debug: { target: "debug" } } } },
  },
};

describe("image.json", { timeout: 60_000 }, () => {
  const workspaces: Workspace[] = [];
  beforeAll(async () => {
    for (const _ of ["here", "and there"]) {
      const workspace = await Workspace.create(FILES);
      workspaces.push(workspace);
      await workspace.build("base", "app");
    }
  }, 120_000);
  afterAll(() => Promise.all(workspaces.map((workspace) => workspace.remove())));

  test("is the same, byte for byte, from two folders", async () => {
    for (const name of ["base", "app"]) {
      const [one, other] = await Promise.all(
        workspaces.map((workspace) => workspace.read(`images/${name}/dist/image.json`)),
      );
      expect(one).toBe(other);
    }
  });

  test("tells what the image runs, what it stands on, and its variants", async () => {
    const [workspace] = workspaces as [Workspace];
    const [app, base] = [await workspace.record("app"), await workspace.record("base")];
    expect(app.platforms[0]).toMatchObject({ user: "65532:65532", entrypoint: ["/run"], exposedPorts: ["8080/tcp"] });
    expect(app.bases).toEqual([{ reference: "waybill/base", digest: base.digest }]);
    expect(app.buildArgs).toEqual({ MODE: "serve" });
    expect(Object.keys(app.variants)).toEqual(["debug"]);
    expect(app.variants["debug"]?.digest).not.toBe(app.digest);
  });

  test("comes with a layout that other tools read", async () => {
    const [workspace] = workspaces as [Workspace];
    const layout = "images/app/dist/layout";
    const { digest, variants } = await workspace.record("app");
    const index = JSON.parse(await workspace.read(`${layout}/index.json`)) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    const names = index.manifests.map((each) => [each.annotations["org.opencontainers.image.ref.name"], each.digest]);
    expect(Object.fromEntries(names)).toEqual({ latest: digest, debug: variants["debug"]?.digest });
    const blobs = await readdir(join(workspace.folder, layout, "blobs/sha256"));
    expect(blobs).toContain(digest.slice("sha256:".length));
  });
});
