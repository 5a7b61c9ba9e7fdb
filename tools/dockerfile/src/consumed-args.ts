// Build args that a Dockerfile declares, and those that change anything.

import type { BuildOptions, Dockerfile, Instruction } from "./dockerfile.ts";
import { variablesIn } from "./expand.ts";
import { linksOf } from "./graph.ts";
import { PREDEFINED_ARGS } from "./scope.ts";
import { assignments, environmentOf } from "./words.ts";

export interface ConsumedArg {
  name: string;
  /** The stage's index, or "global" where a FROM line uses it. */
  stage: number | "global";
  /** The first line that uses it. */
  line: number;
  /**
   * "referenced": a line names it. "environment": no line does, but a RUN below the ARG has it in its environment and may
   * read it there.
   */
  how: "referenced" | "environment";
}

/** Names of all ARG lines, each once, in their order. */
export function declaredArgs(dockerfile: Dockerfile): string[] {
  const inStages = dockerfile.stages.flatMap(({ instructions }) =>
    instructions
      .filter(({ keyword }) => keyword === "ARG")
      .flatMap(({ text }) => assignments(text, dockerfile.escape).map(({ name }) => name)),
  );
  return [...new Set([...dockerfile.args.map(({ name }) => name), ...inStages])];
}

/** The build args a change of which can change the image; predefined ones too where a line names them. */
export function consumedArgs(dockerfile: Dockerfile, options: BuildOptions = {}): ConsumedArg[] {
  return [...globalUses(dockerfile, options), ...stageUses(dockerfile, options)];
}

/** FROM lines, and the defaults of global ARGs that FROM lines use. */
function globalUses(dockerfile: Dockerfile, options: BuildOptions): ConsumedArg[] {
  const declared = new Map(dockerfile.args.map((arg) => [arg.name, arg]));
  const uses = new Map<string, ConsumedArg>();
  const use = (word: string, line: number): void => {
    for (const name of variablesIn(word)) {
      if (uses.has(name) || !(declared.has(name) || PREDEFINED_ARGS.has(name))) continue;
      uses.set(name, { name, stage: "global", line, how: "referenced" });
      const arg = declared.get(name);
      if (arg?.value !== undefined && options.buildArgs?.[name] === undefined) use(arg.value, arg.line);
    }
  };
  for (const { from, platform } of dockerfile.stages) use(`${from.raw} ${platform ?? ""}`, from.line);
  return [...uses.values()];
}

function stageUses(dockerfile: Dockerfile, options: BuildOptions): ConsumedArg[] {
  const uses: ConsumedArg[] = [];
  const links = linksOf(dockerfile, options);
  const visible: Set<string>[] = [];
  for (const { index, instructions } of dockerfile.stages) {
    const source = links[index]?.[0]?.source;
    const parent =
      source !== undefined && source !== "scratch" && "stage" in source ? visible[source.stage] : undefined;
    const args = new Set(parent);
    visible.push(args);
    for (const use of usesOf(instructions, args, dockerfile.escape)) uses.push({ ...use, stage: index });
  }
  return uses;
}

function usesOf(instructions: readonly Instruction[], args: Set<string>, escape: string): Omit<ConsumedArg, "stage">[] {
  const uses = new Map<string, Omit<ConsumedArg, "stage">>();
  for (const instruction of instructions) {
    const { keyword, line } = instruction;
    for (const name of variablesIn(wordsThatExpand(instruction))) {
      if (!(args.has(name) || PREDEFINED_ARGS.has(name)) || uses.get(name)?.how === "referenced") continue;
      uses.set(name, { name, line, how: "referenced" });
    }
    if (keyword === "RUN") {
      for (const name of args) if (!uses.has(name)) uses.set(name, { name, line, how: "environment" });
    }
    if (keyword === "ARG") for (const { name } of assignments(instruction.text, escape)) args.add(name);
    // From here on the name means the variable of the image.
    if (keyword === "ENV") for (const { name } of environmentOf(instruction.text, escape)) args.delete(name);
  }
  return [...uses.values()];
}

/** CMD, ENTRYPOINT, HEALTHCHECK and ONBUILD leave variables to the time the image runs or is built upon. */
function wordsThatExpand({ keyword, flags, text, heredocs }: Instruction): string {
  if (["CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD", "SHELL"].includes(keyword)) return "";
  const values = flags.map(({ value }) => value ?? "");
  const bodies = heredocs.filter(({ expands }) => expands || keyword === "RUN").map(({ body }) => body);
  return [...values, text, ...bodies].join("\n");
}
