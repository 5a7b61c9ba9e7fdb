// Charts in the graph: a project each, with an edge to every image of the repo that its values name.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Workspace } from "../../image/test/support/workspace.ts";

const VALUES = `
manager:
  image: { repository: registry.example/team/operator, tag: 1.0.0 }
defaultImages:
  agent: registry.example/team/runtimes/agent:1.0.0
  other: registry.example/elsewhere/api:1.0.0
database:
  image:
    repository: docker.io/library/postgres
    tag: "18"
`;

describe("a chart", { timeout: 120_000 }, () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await Workspace.create({
      "nx.json": {
        analytics: false,
        neverConnectToCloud: true,
        plugins: [{ plugin: "@waybill/nx-plugin", options: { registry: "registry.example/team" } }],
        useInferencePlugins: false,
      },
      "charts/shop/Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.0.0\n",
      "charts/shop/values.yaml": VALUES,
      "charts/shop/package.json": { name: "@waybill/shop-chart", devDependencies: { "@waybill/tester": "0.1.0" } },
      "charts/broken/Chart.yaml": "apiVersion: v2\nname: broken\nversion: 1.0.0\n",
      "charts/broken/values.yaml": "a: [\n",
      ...Object.fromEntries(
        ["operator", "api", "tester", "kubernetes"].map((name) => [`images/${name}/Dockerfile`, "FROM scratch\n"]),
      ),
      "images/agent/Dockerfile": "FROM scratch\n",
      "images/agent/project.json": { name: "agent", metadata: { image: { repository: "runtimes/agent" } } },
    });
  });
  afterAll(() => workspace.remove());

  async function graph() {
    const { exitCode, stdout, stderr } = await workspace.nx("graph", "--file=.state/graph.json");
    if (exitCode !== 0) throw new Error(stdout + stderr);
    const text = await workspace.read(".state/graph.json");
    return (
      JSON.parse(text) as {
        graph: {
          nodes: Record<string, { data: { targets: Record<string, { dependsOn?: unknown[] }> } }>;
          dependencies: Record<string, { target: string }[]>;
        };
      }
    ).graph;
  }

  test("has an edge to each image of the repo that its values name, by registry and repository", async () => {
    const { dependencies } = await graph();
    const targets = dependencies["shop-chart"]?.map(({ target }) => target).toSorted();
    expect(targets).toEqual(expect.arrayContaining(["agent", "operator"]));
    expect(targets).not.toContain("api");
  });

  test("is linted, rendered and tested with Helm from the image that brings it, and tested with its gear", async () => {
    const { targets } = (await graph()).nodes["shop-chart"]?.data ?? { targets: {} };
    const helm = { projects: "kubernetes", target: "docker-build" };
    expect(targets["lint"]?.dependsOn).toEqual([helm]);
    expect(targets["template"]?.dependsOn).toEqual([helm]);
    expect(targets["test"]?.dependsOn).toEqual(["lint", helm, { projects: "tester", target: "docker-build" }]);
  });

  test("is affected by an image that its values name", async () => {
    const { stdout } = await workspace.nx("show", "projects", "--affected", "--files=images/agent/Dockerfile");
    expect(stdout.split("\n").filter(Boolean).toSorted()).toEqual(["agent", "shop-chart"]);
  });

  test("is a project all the same where its values can't be read", async () => {
    const { nodes, dependencies } = await graph();
    expect(nodes).toHaveProperty("broken-chart");
    expect(dependencies["broken-chart"]).toEqual([]);
  });
});
