// Charts are projects as images are: what checks them, and the images that their values name as edges.

import { existsSync } from "node:fs";
import { join } from "node:path";
import type {
  CreateDependenciesContext,
  DependencyType,
  RawProjectGraphDependency,
  TargetConfiguration,
} from "@nx/devkit";
import { isImageFolder, readImage } from "@waybill/image/image";
import { isExpected } from "@waybill/oci/error";
import { buildsOf, target } from "./targets.ts";

/** The image that brings Helm. */
const HELM = "kubernetes";

/** Everything that Helm reads, and what CRDs and roles are copied from. */
const CHART_FILES = [
  "{projectRoot}/{Chart,values}.yaml",
  "{projectRoot}/values.schema.json",
  "{projectRoot}/.helmignore",
  "{projectRoot}/{templates,crds,ci}/**/*",
  "{workspaceRoot}/images/shared/*/crds/*.yaml",
  "{workspaceRoot}/images/*/src/role.yaml",
];

/**
 * The targets of a folder of charts/.
 * @param name the folder's, and so the chart's
 * @param gear images that its tests run, by name
 */
export function chartTargets(name: string, gear: readonly string[]): Record<string, TargetConfiguration> {
  const command = (rest: string): string => `node tools/cli/src/waybill.ts ${rest}`;
  const inputs = [
    ...CHART_FILES,
    "{workspaceRoot}/tools/chart/src/**/*",
    { dependentTasksOutputFiles: "**/dist/image.json" },
    { externalDependencies: [] },
  ];
  const dependsOn = buildsOf([HELM]);
  return {
    lint: target(command(`chart lint ${name}`), {
      cache: true,
      dependsOn,
      inputs,
      metadata: { description: "helm lint with Helm 3 and 4, and every set of values" },
    }),
    template: target(command(`chart template ${name}`), {
      cache: true,
      dependsOn,
      inputs,
      outputs: ["{projectRoot}/dist/*.yaml"],
      metadata: { description: "Renders the chart into dist/, one file for each set of values" },
    }),
    test: target(command(`unit charts/${name}`), {
      cache: true,
      dependsOn: ["lint", ...buildsOf([...new Set([HELM, ...gear])])],
      inputs: [
        ...inputs,
        "{projectRoot}/test/**/*",
        // Beside the chart itself, its tests try the release that ships it.
        "{workspaceRoot}/tools/{cli,inventory,release,testing}/src/**/*",
      ],
      outputs: ["{projectRoot}/dist/test.json"],
      metadata: { description: "Installs the chart on a real API server" },
    }),
  };
}

/**
 * From each chart to the images of this repo that its values name.
 * @param registry what stands before an image's name in values; as the settings have it where nx.json has none
 */
export async function chartEdges(
  { projects, workspaceRoot }: CreateDependenciesContext,
  registry = "ghcr.io/acme/images",
): Promise<RawProjectGraphDependency[]> {
  const charts = Object.entries(projects).filter(([, { root }]) => existsSync(join(workspaceRoot, root, "Chart.yaml")));
  if (charts.length === 0) return [];
  const images = repositoriesOf(projects, workspaceRoot, registry);
  const found: RawProjectGraphDependency[] = [];
  for (const [source, { root }] of charts) {
    for (const target of await imagesIn(join(workspaceRoot, root), images)) {
      if (projects[target] === undefined) continue;
      found.push({ source, target, sourceFile: `${root}/values.yaml`, type: "static" as DependencyType.static });
    }
  }
  return found;
}

/** Names of images by how values name them. */
function repositoriesOf(
  projects: CreateDependenciesContext["projects"],
  workspaceRoot: string,
  registry: string,
): Map<string, string> {
  const images = new Map<string, string>();
  for (const [name, { root }] of Object.entries(projects)) {
    const folder = join(workspaceRoot, root);
    if (isImageFolder(folder, workspaceRoot)) images.set(`${registry}/${repositoryOf(folder) ?? name}`, name);
  }
  return images;
}

/** An image that can't be read has its name alone. */
function repositoryOf(folder: string): string | undefined {
  try {
    return readImage(folder).metadata.repository;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return undefined;
  }
}

/** None for a chart that can't be read: its lint target says why. A parser of YAML is loaded where there is a chart. */
async function imagesIn(chart: string, images: ReadonlyMap<string, string>): Promise<Set<string>> {
  const { readChart } = await import("@waybill/chart/chart");
  try {
    const names = readChart(chart).images.map(({ repository }) => images.get(repository));
    return new Set(names.filter((name) => name !== undefined));
  } catch (error) {
    if (!isExpected(error)) throw error;
    return new Set();
  }
}
