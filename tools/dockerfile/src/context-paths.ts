// The paths of a build context that a Dockerfile names: of the context itself (sources of COPY and ADD, and of bind mounts without
// from=), or of a named one (sources of COPY and of bind mounts with its name in from=).

import type { BuildOptions, Dockerfile, Instruction } from "./dockerfile.ts";
import { flagValues } from "./dockerfile.ts";
import { linksOf, reachableStages } from "./graph.ts";
import { cleanPath } from "./ignore.ts";
import { globalScope, StageScope } from "./scope.ts";
import { formOf } from "./words.ts";

/** Where none is named, a path such as `bin/$TARGETARCH` counts for each of these. */
const PLATFORMS = ["linux/amd64", "linux/arm64"];

/**
 * Cleaned paths and patterns (Go's filepath.Match, and "**"), relative to the context; "" is all of it. A path with a variable
 * whose value isn't known counts as all.
 * @param targets the stages that are built; default: all stages of the file
 * @param context the name of a build context; default: the one that has no name
 */
export function contextPaths(
  dockerfile: Dockerfile,
  options: BuildOptions = {},
  targets?: readonly string[],
  context = "",
): string[] {
  const platforms = options.platform === undefined ? PLATFORMS : [options.platform];
  const paths = platforms.flatMap((platform) => pathsFor(dockerfile, { ...options, platform }, targets, context));
  return [...new Set(paths)];
}

function pathsFor(
  dockerfile: Dockerfile,
  options: BuildOptions,
  targets: readonly string[] | undefined,
  context: string,
): string[] {
  const links = linksOf(dockerfile, options);
  const built = targets?.map((target) => reachableStages(dockerfile, links, target));
  const global = globalScope(dockerfile.args, dockerfile.escape, options);
  const scopes: StageScope[] = [];
  const paths: string[] = [];
  for (const { index, instructions } of dockerfile.stages) {
    const source = links[index]?.[0]?.source;
    const parent = source !== undefined && source !== "scratch" && "stage" in source ? scopes[source.stage] : undefined;
    const scope = new StageScope(dockerfile, options, global, parent);
    scopes.push(scope);
    for (const instruction of instructions) {
      if (built?.some((stages) => stages.has(index)) ?? true) {
        paths.push(...pathsOf(instruction, scope, context));
      }
      scope.pass(instruction);
    }
  }
  return paths;
}

function pathsOf(instruction: Instruction, scope: StageScope, context: string): string[] {
  if (instruction.keyword === "COPY" || instruction.keyword === "ADD") return copied(instruction, scope, context);
  if (instruction.keyword !== "RUN") return [];
  return flagValues(instruction, "mount").flatMap((mount) => bound(mount, scope, context));
}

function copied(instruction: Instruction, scope: StageScope, context: string): string[] {
  if ((flagValues(instruction, "from").at(-1) ?? "") !== context) return [];
  const sources = formOf(instruction.text).words.slice(0, -1);
  const local = sources.filter((source) => !source.startsWith("<<") && !isRemote(scope.expand(source).value));
  return local.map((source) => resolve(source, scope));
}

/** ADD takes URLs and git repositories too: https://docs.docker.com/reference/dockerfile/#add */
function isRemote(source: string): boolean {
  return /^(?:https?|git|ssh|ftp):\/\/|^git@/.test(source);
}

/** A bind mount (the default type) shows the context, or its `source`. */
function bound(mount: string, scope: StageScope, context: string): string[] {
  const options = new Map(mount.split(",").map((option) => pair(option)));
  if ((options.get("type") ?? "bind") !== "bind" || (options.get("from") ?? "") !== context) return [];
  return [resolve(options.get("source") ?? options.get("src") ?? "", scope)];
}

function pair(option: string): [string, string] {
  const at = option.indexOf("=");
  return at < 0 ? [option.toLowerCase(), ""] : [option.slice(0, at).toLowerCase(), option.slice(at + 1)];
}

function resolve(path: string, scope: StageScope): string {
  const { value, missing, error } = scope.expand(path);
  return missing.size > 0 || error !== undefined ? "" : cleanPath(value);
}
