// A cold process that does what Nx does with the plugin, once, and prints how long each part took. Started by graph.ts.

import { glob } from "node:fs/promises";
import type { CreateDependenciesContext, CreateNodesContextV2, ProjectConfiguration } from "@nx/devkit";
import type { GraphTimes } from "./graph.ts";

const started = performance.now();
const { createDependencies, createNodes } = await import("@waybill/nx-plugin");
const loaded = performance.now();

const workspaceRoot = process.argv[2] as string;
const files: string[] = [];
for await (const file of glob("images/**/Dockerfile", { cwd: workspaceRoot })) files.push(file);
const context = { workspaceRoot, nxJsonConfiguration: {} } as CreateNodesContextV2;

const before = performance.now();
const nodes = await createNodes[1](files, {}, context);
const between = performance.now();
const edges = await createDependencies({}, dependenciesContext(nodes));
const after = performance.now();

const seconds = (from: number, to: number): number => (to - from) / 1000;
const times: GraphTimes = {
  load: seconds(started, loaded),
  nodes: seconds(before, between),
  edges: seconds(between, after),
  found: { projects: nodes.length, edges: edges.length },
};
console.log(JSON.stringify(times));

/** What Nx hands over after createNodes: projects by name, and every file of each. */
function dependenciesContext(results: Awaited<ReturnType<(typeof createNodes)[1]>>): CreateDependenciesContext {
  const projects: Record<string, ProjectConfiguration> = {};
  for (const [, { projects: found = {} }] of results) {
    for (const [root, project] of Object.entries(found)) {
      if (project.name !== undefined) projects[project.name] = { root, ...project };
    }
  }
  const projectFileMap = Object.fromEntries(
    Object.entries(projects).map(([name, { root }]) => [name, [{ file: `${root}/Dockerfile`, hash: "" }]]),
  );
  const fileMap = { projectFileMap, nonProjectFiles: [] };
  return { ...context, projects, externalNodes: {}, fileMap, filesToProcess: fileMap };
}
