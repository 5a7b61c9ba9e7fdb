// Nx inputs for what a Dockerfile can really see: what .dockerignore sends, and of that what COPY, ADD and bind mounts name. They
// may name a file too many, never one too few. Nx reads globs differently from Docker: an exclusion wins wherever it stands, so a
// pattern that a later "!" may take back in part can't be one.

import { contextPaths } from "./context-paths.ts";
import type { BuildOptions, Dockerfile } from "./dockerfile.ts";
import { matcherOf } from "./ignore-pattern.ts";
import { ignoresAll } from "./ignore.ts";
import type { Ignore, IgnorePattern } from "./ignore.ts";
import { hasWildcard, isWithin, mayOverlap } from "./path-pattern.ts";

export interface ContextInputs {
  /** Nx fileset inputs: `{projectRoot}/src` and `{projectRoot}/src/**\/*`. */
  include: string[];
  /** The same with "!" before them. */
  exclude: string[];
}

/**
 * A superset, as tight as Nx can say it, of the files a build can see. Without a .dockerignore pass `parseIgnore("")`.
 * @param targets the stages that are built (by name or index); default: all of the file's
 * @param context the name of another build context, whose files it is then about; `{projectRoot}` stands for its folder
 */
export function contextInputs(
  ignore: Ignore,
  dockerfile: Dockerfile,
  options: BuildOptions = {},
  targets?: readonly string[],
  context?: string,
): ContextInputs {
  const rules = ignore.patterns.slice(ignore.patterns.findLastIndex(ignoresAll) + 1);
  const sent =
    rules.length < ignore.patterns.length ? rules.filter(({ negated }) => negated).map(({ pattern }) => pattern) : [""];
  const seen = contextPaths(dockerfile, options, targets, context);
  const visible = tightest(sent.flatMap((one) => seen.flatMap((other) => both(one, other))));
  const excluded = rules.filter((rule, index) => !rule.negated && !takenBack(rule, rules.slice(index + 1)));
  const useful = excluded.filter(
    ({ pattern }) => !coversOwn(pattern) && visible.some((path) => mayOverlap(path, pattern)),
  );
  return {
    include: visible.flatMap(includeGlobs),
    exclude: useful.flatMap(({ pattern }) => excludeGlobs(pattern)),
  };
}

/**
 * What a build reads whether it is sent or not. Many an ignore file lists the Dockerfile; as an exclusion of Nx that would win
 * over the input that names it.
 */
const OWN = [
  "Dockerfile",
  ".dockerignore",
  "Dockerfile.dockerignore",
  "image.lock.json",
  "project.json",
  "package.json",
];

function coversOwn(pattern: string): boolean {
  return OWN.some(matcherOf(pattern));
}

/** The patterns' common ground: the narrower where one surely holds the other, one of them where both may hold the same file. */
function both(sent: string, seen: string): string[] {
  if (seen === "" || isWithin(sent, seen)) return [sent];
  if (isWithin(seen, sent)) return [seen];
  if (sent !== "" && !mayOverlap(sent, seen)) return [];
  return [hasWildcard(seen) ? sent : deeper(sent, seen)];
}

/** Of a pattern and a plain path, that with more folders says more: its files are no fewer folders down. */
function deeper(pattern: string, path: string): string {
  return pattern.includes("**") || pattern.split("/").length > path.split("/").length ? pattern : path;
}

/** Without those that another already holds. */
function tightest(paths: readonly string[]): string[] {
  const unique = [...new Set(paths)].toSorted();
  return unique.filter(
    (path) => !unique.some((other) => other !== path && !hasWildcard(other) && isWithin(path, other)),
  );
}

function takenBack({ pattern }: IgnorePattern, later: readonly IgnorePattern[]): boolean {
  return later.some((rule) => rule.negated && mayOverlap(pattern, rule.pattern));
}

function includeGlobs(pattern: string): string[] {
  return withBelow(widened(pattern)).map((glob) => `{projectRoot}/${glob}`);
}

/** Nothing where Nx could read the pattern as more than Docker does. */
function excludeGlobs(pattern: string): string[] {
  return widened(pattern) === pattern ? withBelow(pattern).map((glob) => `!{projectRoot}/${glob}`) : [];
}

function withBelow(glob: string): string[] {
  if (glob === "" || glob === "**") return ["**/*"];
  return glob.endsWith("/**") ? [`${glob}/*`] : [glob, `${glob}/**/*`];
}

/**
 * A glob that Nx understands and that matches no less. Characters that mean something to Nx alone become "?"; a part with a
 * class, an escape or "**" inside a name gives way to all of its folder.
 */
function widened(pattern: string): string {
  const parts = pattern.split("/");
  const strange = parts.findIndex((part) => /[[\]\\]/.test(part) || (part !== "**" && part.includes("**")));
  const kept = strange < 0 ? parts : parts.slice(0, strange);
  const glob = kept.map((part) => part.replace(/[(){}!+@|,]/g, "?")).join("/");
  return strange < 0 ? glob : glob === "" ? "**" : `${glob}/**`;
}
