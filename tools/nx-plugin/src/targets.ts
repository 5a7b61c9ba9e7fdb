// The targets of an image, and what each reads and writes. Every target is one call of the command line, so that what Nx runs can
// be run by hand. (A command costs Nx 110 ms, an executor of a plugin 250 ms: it forks a process that loads Nx again.)

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { TargetConfiguration } from "@nx/devkit";
import { contextInputs, edgesOf, parseDockerfile, parseIgnore, readIgnore } from "@waybill/dockerfile";
import { ownEdges } from "@waybill/image/cycle";
import type { Image } from "@waybill/image/image";
import { ASKED_VARIANTS } from "@waybill/image/variants";
import { sharedOf, sharedPath } from "@waybill/image/shared";

type Input = NonNullable<TargetConfiguration["inputs"]>[number];
type DependsOn = NonNullable<TargetConfiguration["dependsOn"]>;

/** Goes up when the tools make another image of the same files: it is part of every build's hash, their source is not. */
const BUILD_REVISION = 5;

/** A program and its arguments, without Node's own start-up warnings. */
const waybill = (command: string, image: Image): string => `node tools/cli/src/waybill.ts ${command} ${image.name}`;

/** No npm package of the workspace reaches an image: those that do come through its own lock. */
const NO_PACKAGES: Input = { externalDependencies: [] };

/** The records of the images it is built from, as files: a base that rebuilds to the same record rebuilds nothing above it. */
const BASE_RECORDS: Input = { dependentTasksOutputFiles: "**/dist/image.json", transitive: false };

/** @param gear images that its tests run beside it, by name */
export async function targetsOf(image: Image, gear: readonly string[]): Promise<Record<string, TargetConfiguration>> {
  const { built: sees, all: testsSee } = await buildInputs(image);
  const ofImage: Input[] = [NO_PACKAGES, { dependentTasksOutputFiles: "**/dist/image.json" }];
  const engine: Input = { env: "WAYBILL_ENGINE" };
  const declared = { project: "{projectRoot}/project.json" };
  return {
    "docker-build": target(waybill("build", image), {
      cache: true,
      // "^" is every project that package.json names too, so gear would be built into it.
      dependsOn: gear.length === 0 ? ["^docker-build"] : buildsOf([...ownEdges(image).keys()]),
      inputs: [...sees, BASE_RECORDS, engine, ...asked(image), NO_PACKAGES],
      outputs: ["{projectRoot}/dist/image.json"],
      options: { env: buildEnvironment(image) },
      metadata: { description: "Builds the image; its record is the only output" },
    }),
    lint: target(waybill("lint", image), {
      cache: true,
      dependsOn: ["docker-build"],
      inputs: [
        ...sees,
        declared.project,
        "{projectRoot}/package.json",
        "{workspaceRoot}/tools/lint/src/**/*",
        ...ofImage,
      ],
      metadata: { description: "Checks the Dockerfile and the built image" },
    }),
    size: target(waybill("size", image), {
      cache: true,
      dependsOn: ["docker-build"],
      inputs: [declared.project, ...sees, ...ofImage],
      metadata: { description: "Compares sizes with the budget, layer by layer" },
    }),
    test: target(waybill("test", image), {
      cache: true,
      dependsOn: ["docker-build", "lint", "size", ...buildsOf(gear)],
      inputs: [
        ...testsSee,
        "{projectRoot}/test/**/*",
        "{projectRoot}/src/**/*",
        "{workspaceRoot}/tools/testing/src/**/*",
        engine,
        ...ofImage,
      ],
      outputs: ["{projectRoot}/dist/test.json"],
      metadata: { description: "Runs unit tests, then tests of the built image" },
    }),
    reproduce: target(waybill("reproduce", image), { dependsOn: ["docker-build"] }),
    push: target(waybill("push", image), { dependsOn: ["docker-build"] }),
    "docker-load": target(waybill("docker-load", image), { dependsOn: ["docker-build"] }),
    ...(hasUpstream(image) && { update: target(waybill("update", image), {}) }),
    "build-args": target(waybill("build-args", image), {}),
    "image-values": target(waybill("image-values", image), {}),
  };
}

/** Only where there is something to ask for: no other image becomes another one by it. */
const asked = ({ metadata }: Image): Input[] =>
  Object.values(metadata.variants).some(({ when }) => when === "asked") ? [{ env: ASKED_VARIANTS }] : [];

/** Each image's docker-build. */
export const buildsOf = (images: readonly string[]): DependsOn =>
  images.map((name) => ({ projects: name, target: "docker-build" }));

/** What an image takes from upstream is in its lock, or in the go.mod that requires its upstream. */
const hasUpstream = ({ folder, metadata }: Image): boolean =>
  metadata.source !== undefined || metadata.upstream !== undefined || existsSync(join(folder, "image.lock.json"));

/** The targets of an image that can't be read: the command line tells why, with file and line. */
export function brokenTargets(name: string): Record<string, TargetConfiguration> {
  const command = (target: string): string =>
    `node tools/cli/src/waybill.ts ${target.replace("docker-", "")} '${name}'`;
  const names = ["docker-build", "lint", "size", "test", "reproduce", "push"];
  return Object.fromEntries(names.map((each) => [each, target(command(each), {})]));
}

/** The targets of a folder of tools/. */
export function toolTargets(root: string): Record<string, TargetConfiguration> {
  return {
    test: target(`node tools/cli/src/waybill.ts unit ${root}`, {
      cache: true,
      inputs: ["default", "^default", "{workspaceRoot}/package-lock.json", { externalDependencies: ["vitest"] }],
      outputs: ["{projectRoot}/dist/test.json"],
      metadata: { description: "Runs the tool's tests" },
    }),
  };
}

export function target(command: string, more: TargetConfiguration): TargetConfiguration {
  const { options, ...rest } = more;
  return { executor: "nx:run-commands", options: { command, ...options }, parallelism: true, ...rest };
}

/** What the Dockerfile can really see: the context after .dockerignore, its part of shared folders, and the image's own lock. */
async function buildInputs(image: Image): Promise<{ built: Input[]; all: Input[] }> {
  if (image.metadata.source !== undefined) return { built: UPSTREAM_FILES, all: UPSTREAM_FILES };
  const [text, ignore] = await Promise.all([readFile(image.dockerfile, "utf8"), readIgnore(image.folder)]);
  const { buildArgs, variants } = image.metadata;
  const dockerfile = parseDockerfile(text, image.dockerfile, { buildArgs });
  const shared = [...sharedOf(edgesOf(dockerfile, buildArgs))];
  const inputs = (stages?: readonly string[]): Input[] => {
    const { include, exclude } = contextInputs(ignore, dockerfile, { buildArgs }, stages);
    const fromShared = shared.flatMap(([context, name]) => {
      const seen = contextInputs(parseIgnore(""), dockerfile, { buildArgs }, stages, context).include;
      return seen.map((glob) => glob.replace("{projectRoot}", `{workspaceRoot}/${sharedPath(name)}`));
    });
    return [...OWN_FILES, ...include, ...exclude, ...fromShared];
  };
  const last = dockerfile.stages.at(-1)?.index ?? 0;
  // Not the stage `test`: what it alone sees makes no other image.
  const built = inputs([String(last), ...Object.values(variants).map(({ target }) => target)]);
  return { built, all: inputs() };
}

const OWN_FILES = ["Dockerfile", ".dockerignore", "Dockerfile.dockerignore", "image.lock.json"].map(
  (file) => `{projectRoot}/${file}`,
);

/** The lock has upstream's commit: a file of it that differs makes another lock. */
const UPSTREAM_FILES = ["image.lock.json", "patches/*.patch", "*.bundle"].map((file) => `{projectRoot}/${file}`);

/** What of project.json changes the image. As options of the target they are part of its hash; budgets and tags are not. */
function buildEnvironment({ metadata }: Image): Record<string, string> {
  const { platforms, buildArgs, variants, compression, source } = metadata;
  const upstream = source === undefined ? {} : { source };
  const build = { revision: BUILD_REVISION, platforms, buildArgs, variants, compression, ...upstream };
  return { WAYBILL_BUILD: JSON.stringify(build) };
}
