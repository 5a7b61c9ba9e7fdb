// What is wrong with the stages of a Dockerfile: what they stand on, what they are called, where they copy from.

import type { BuildOptions, Dockerfile, Stage } from "./dockerfile.ts";
import { expand } from "./expand.ts";
import type { Lookup } from "./expand.ts";
import { linksOf, targetStage } from "./graph.ts";
import type { Link } from "./graph.ts";
import { globalScope } from "./scope.ts";
import { closestTo } from "./similar.ts";

export interface Problem {
  line: number;
  what: string;
  mend: string;
}

export function stageProblems(dockerfile: Dockerfile, options: BuildOptions): Problem[] {
  return [...dockerfile.stages.flatMap((stage) => fromLine(stage, dockerfile, options)), ...links(dockerfile, options)];
}

function fromLine(stage: Stage, dockerfile: Dockerfile, options: BuildOptions): Problem[] {
  const { raw, line } = stage.from;
  if (raw === "") return [];
  const global = globalScope(dockerfile.args, dockerfile.escape, options);
  const words = [raw, ...(stage.platform === undefined ? [] : [stage.platform])];
  const problems = words.flatMap((word) => fromWord(word, line, dockerfile, (name) => global.get(name)));
  return [...problems, ...stageName(stage, dockerfile)];
}

function fromWord(word: string, line: number, dockerfile: Dockerfile, lookup: Lookup): Problem[] {
  const { value, missing, error } = expand(word, lookup, dockerfile.escape);
  if (error !== undefined) return [{ line, what: error, mend: "write ${NAME} or ${NAME:-default}" }];
  if (missing.size > 0) return [...missing].map((name) => noValue(name, line, dockerfile));
  return value === "" ? [{ line, what: `${word} comes to nothing`, mend: "give the ARG a default" }] : [];
}

function noValue(name: string, line: number, { args, stages }: Dockerfile): Problem {
  const global = args.find((arg) => arg.name === name);
  const late = stages.some(({ instructions }) =>
    instructions.some((one) => one.keyword === "ARG" && one.text.startsWith(name)),
  );
  const mend =
    global !== undefined
      ? `give it a default in line ${global.line} (ARG ${name}=…), or the build arg ${name}`
      : late
        ? `FROM sees only ARGs above the first FROM: move ARG ${name} there`
        : `declare ARG ${name}=… above the first FROM`;
  return { line, what: `FROM uses ${name}, which has no value`, mend };
}

function stageName({ name, from, index }: Stage, { stages }: Dockerfile): Problem[] {
  if (name === undefined) return [];
  const { line } = from;
  if (!/^[a-z][a-z0-9_.-]*$/.test(name) || name === "scratch" || name === "context") {
    const mend = 'begin with a letter; letters, digits, "_", "-" and "." may follow; not "scratch" or "context"';
    return [{ line, what: `${name} can't name a stage`, mend }];
  }
  const earlier = stages.slice(0, index).find((stage) => stage.name === name);
  if (earlier === undefined) return [];
  return [{ line, what: `a second stage ${name}`, mend: `line ${earlier.from.line} has that name: take another` }];
}

function links(dockerfile: Dockerfile, options: BuildOptions): Problem[] {
  const all = linksOf(dockerfile, options);
  const count = dockerfile.stages.length;
  const unknown = all.flat().flatMap(({ source, line }) => {
    if (source === "scratch" || "reference" in source || source.stage < count) return [];
    return [
      { line, what: `no stage ${source.stage}`, mend: `stages are counted from 0 to ${count - 1}; better, name it` },
    ];
  });
  return [...unknown, ...circles(all), ...noTarget(dockerfile, options)];
}

function noTarget(dockerfile: Dockerfile, { target }: BuildOptions): Problem[] {
  if (target === undefined || dockerfile.stages.length === 0 || targetStage(dockerfile, target) !== undefined)
    return [];
  const names = dockerfile.stages.flatMap(({ name }) => name ?? []);
  return [{ line: 1, what: `no stage ${target}`, mend: `did you mean ${closestTo(target, names)}?` }];
}

/** Stages that need themselves. */
function circles(all: readonly Link[][]): Problem[] {
  const done = new Set<number>();
  const problems: Problem[] = [];
  const visit = (index: number, path: readonly number[]): void => {
    if (done.has(index)) return;
    for (const { source, line } of all[index] ?? []) {
      if (source === "scratch" || "reference" in source) continue;
      if (path.includes(source.stage) || source.stage === index) {
        problems.push({
          line,
          what: `stage ${index} needs itself`,
          mend: "copy from a stage that doesn't need this one",
        });
      } else visit(source.stage, [...path, index]);
    }
    done.add(index);
  };
  for (const index of all.keys()) visit(index, []);
  return problems;
}
