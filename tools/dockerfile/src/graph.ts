// What each stage takes from where: an earlier stage, an image (or named build context), or nothing.

import type { BuildOptions, Dockerfile, Instruction, Stage } from "./dockerfile.ts";
import { flagValues } from "./dockerfile.ts";
import { expand } from "./expand.ts";
import { globalScope } from "./scope.ts";

export type LinkKind = "from" | "copy-from" | "mount-from";

type Source = { stage: number } | { reference: string } | "scratch";

export interface Link {
  kind: LinkKind;
  source: Source;
  line: number;
  /** What `FROM --platform=` asks for; absent where it is what is built for. */
  platform?: string;
}

/** The links of every stage, by stage index; a stage's first link is its FROM. */
export function linksOf(dockerfile: Dockerfile, options: BuildOptions): Link[][] {
  const global = globalScope(dockerfile.args, dockerfile.escape, options);
  const resolve = (word: string): string => expand(word, (name) => global.get(name), dockerfile.escape).value;
  return dockerfile.stages.map((stage) => [
    // A FROM sees the stages above it only; COPY --from and mounts see all of them.
    {
      kind: "from",
      source: sourceOf(resolve(stage.from.raw), dockerfile.stages.slice(0, stage.index)),
      line: stage.from.line,
      ...(stage.platform !== undefined && { platform: resolve(stage.platform) }),
    },
    ...stage.instructions.flatMap((instruction) => linksOfInstruction(instruction, dockerfile.stages)),
  ]);
}

function linksOfInstruction(instruction: Instruction, stages: readonly Stage[]): Link[] {
  const { keyword, line } = instruction;
  if (keyword === "COPY") {
    const named = flagValues(instruction, "from").filter((from) => from !== "");
    return named.map((from) => ({ kind: "copy-from", source: byNameOrIndex(from, stages), line }));
  }
  if (keyword !== "RUN") return [];
  return mountsFrom(instruction).map((from) => ({ kind: "mount-from", source: byNameOrIndex(from, stages), line }));
}

/** The `from=` of each `--mount`. */
export function mountsFrom(run: Instruction): string[] {
  const options = flagValues(run, "mount").flatMap((mount) => mount.split(","));
  return options.filter((option) => /^from=./i.test(option)).map((option) => option.slice("from=".length));
}

function byNameOrIndex(from: string, stages: readonly Stage[]): Source {
  return /^\d+$/.test(from) ? { stage: Number(from) } : sourceOf(from, stages);
}

function sourceOf(name: string, stages: readonly Stage[]): Source {
  if (name.toLowerCase() === "scratch") return "scratch";
  const stage = stages.findLast((candidate) => candidate.name === name.toLowerCase());
  return stage === undefined ? { reference: name } : { stage: stage.index };
}

/** The stage a build ends on: a name, an index, or the last. Undefined where there is no such stage. */
export function targetStage({ stages }: Dockerfile, target: string | undefined): Stage | undefined {
  if (target === undefined) return stages.at(-1);
  return (
    stages.findLast((stage) => stage.name === target.toLowerCase()) ??
    stages[/^\d+$/.test(target) ? Number(target) : -1]
  );
}

/** The stages a build of `target` comes to, itself included. */
export function reachableStages(dockerfile: Dockerfile, links: readonly Link[][], target?: string): Set<number> {
  const reached = new Set<number>();
  const visit = (index: number): void => {
    if (reached.has(index)) return;
    reached.add(index);
    for (const { source } of links[index] ?? []) if (source !== "scratch" && "stage" in source) visit(source.stage);
  };
  const last = targetStage(dockerfile, target);
  if (last !== undefined) visit(last.index);
  return reached;
}
