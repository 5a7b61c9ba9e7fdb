// The graph as Nx sees it: projects, targets and edges of a workspace's images.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Files, Workspace } from "../../image/test/support/workspace.ts";

interface Graph {
  nodes: Record<string, { data: { root: string; targets: Record<string, unknown>; tags?: string[] } }>;
  dependencies: Record<string, { source: string; target: string }[]>;
}

async function graphOf(workspace: Workspace): Promise<Graph> {
  const { exitCode, stdout, stderr } = await workspace.nx("graph", "--file=.state/graph.json");
  if (exitCode !== 0) throw new Error(stdout + stderr);
  return (JSON.parse(await workspace.read(".state/graph.json")) as { graph: Graph }).graph;
}

const edges = (graph: Graph, name: string): string[] =>
  (graph.dependencies[name] ?? []).map(({ target }) => target).sort();

const EVERY_KIND = `ARG BASE=waybill/base
ARG TOOLS=waybill/tools
FROM \${TOOLS} AS helper
FROM waybill/compiler AS build
COPY --from=helper /a /a
RUN --mount=type=bind,from=waybill/mounted,target=/m true
FROM \${BASE} AS final
COPY --from=build /out /out
COPY --from=waybill/copied /b /b
COPY --from=2 /c /c
FROM final
`;

describe("the graph of a workspace", () => {
  let workspace: Workspace;
  let graph: Graph;
  beforeAll(async () => {
    const bases = ["base", "tools", "compiler", "mounted", "copied", "build"];
    workspace = await Workspace.create({
      ...Object.fromEntries(bases.map((name) => [`images/bases/${name}/Dockerfile`, "FROM scratch\nCOPY a /a\n"])),
      "images/all/Dockerfile": EVERY_KIND,
      "images/named/Dockerfile": "ARG BASE\nFROM ${BASE:-waybill/other}\n",
      "images/named/project.json": {
        name: "another-name",
        tags: ["kind:test"],
        metadata: { image: { buildArgs: { BASE: "waybill/base" } } },
      },
      "images/other/Dockerfile": "FROM scratch\nCOPY a /a\n",
      "images/other/dist/Dockerfile": "FROM waybill/base\n",
      "images/module/Dockerfile": "FROM scratch\n",
      "images/module/project.json": { name: "module", metadata: { image: { upstream: "go:example.test/up" } } },
      "images/other/Dockerfile.debug": "FROM waybill/base\n",
      "images/other/test/upstream/Dockerfile": "FROM waybill/base\n",
      "images/other/test/images/upstream/Dockerfile": "FROM waybill/base\n",
    });
    graph = await graphOf(workspace);
  }, 120_000);
  afterAll(() => workspace.remove());

  test("has an edge for FROM, COPY --from and RUN --mount=from, through ARG defaults and stages", () => {
    expect(edges(graph, "all")).toEqual(["base", "compiler", "copied", "mounted", "tools"]);
  });

  test("has no edge for a stage, even where an image has its name", () => {
    expect(edges(graph, "all")).not.toContain("build");
  });

  test("takes the name, the tags and the build args from project.json", () => {
    expect(graph.nodes["another-name"]?.data).toMatchObject({ root: "images/named", tags: ["kind:test"] });
    expect(graph.nodes).not.toHaveProperty("named");
    expect(edges(graph, "another-name")).toEqual(["base"]);
  });

  test("gives one that repackages a Go module the target update, and none to what has no upstream", () => {
    expect(graph.nodes["module"]?.data.targets).toHaveProperty("update");
    expect(graph.nodes["other"]?.data.targets).not.toHaveProperty("update");
  });

  test("gives each image its targets, and nothing to other Dockerfiles", () => {
    const targets = Object.keys(graph.nodes["all"]?.data.targets ?? {}).sort();
    const own = [
      "build-args",
      "docker-build",
      "docker-load",
      "image-values",
      "lint",
      "push",
      "reproduce",
      "size",
      "test",
    ];
    expect(targets).toEqual(expect.arrayContaining(own));
    expect(edges(graph, "other")).toEqual([]);
    expect(Object.values(graph.nodes).filter(({ data }) => data.root.startsWith("images/other"))).toHaveLength(1);
  });
});

describe("500 images", () => {
  const COUNT = 500;
  let workspace: Workspace;
  let graph: Graph;
  const name = (index: number): string => `image-${index}`;
  /** Each stands on one of ten, and takes a file from its neighbour. */
  const bases = (index: number): string[] =>
    index < 10 ? [] : [...new Set([name(index % 10), name(index - 1)])].toSorted();

  beforeAll(async () => {
    const files: Files = {};
    for (let index = 0; index < COUNT; index++) {
      const folder = index < 10 ? `images/bases/${name(index)}` : `images/${name(index)}`;
      const from = index < 10 ? "scratch" : `waybill/${name(index % 10)}`;
      const copy = index < 10 ? "COPY a /a" : `COPY --from=waybill/${name(index - 1)} /a /a`;
      files[`${folder}/Dockerfile`] = `FROM ${from}\n${copy}\n`;
    }
    workspace = await Workspace.create(files);
    graph = await graphOf(workspace);
  }, 120_000);
  afterAll(() => workspace.remove());

  test("are all in the graph, with every edge", () => {
    const names = Array.from({ length: COUNT }, (_, index) => name(index));
    expect(Object.keys(graph.nodes)).toHaveLength(COUNT);
    expect(names.map((each) => edges(graph, each))).toEqual(names.map((_, index) => bases(index)));
  });
});
