// What is wrong with a Dockerfile before any engine sees it: each problem one line, with file and line and the mend.

import { WaybillError } from "@waybill/oci";
import type { BuildOptions, Dockerfile, Instruction, Stage } from "./dockerfile.ts";
import { flagValues } from "./dockerfile.ts";
import { expand } from "./expand.ts";
import { linksOf, mountsFrom, targetStage } from "./graph.ts";
import type { Link } from "./graph.ts";
import type { InstructionText } from "./instructions.ts";
import { globalScope } from "./scope.ts";
import { closestTo } from "./similar.ts";
import { formOf } from "./words.ts";

interface Problem {
  line: number;
  what: string;
  mend: string;
}

/** Flags by instruction: https://docs.docker.com/reference/dockerfile/ */
const FLAGS: Record<string, readonly string[]> = {
  FROM: ["platform"],
  RUN: ["mount", "network", "security", "device"],
  COPY: ["from", "chown", "chmod", "link", "parents", "exclude"],
  ADD: ["chown", "chmod", "link", "exclude", "checksum", "keep-git-dir", "unpack"],
  HEALTHCHECK: ["interval", "timeout", "start-period", "start-interval", "retries"],
};

const KEYWORDS = Object.keys(FLAGS).concat(
  ["ARG", "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL"],
  ["USER", "VOLUME", "WORKDIR"],
);

/** All problems, in the order of their lines. */
export function check(dockerfile: Dockerfile, text: InstructionText, options: BuildOptions): WaybillError[] {
  const problems = [
    ...unterminated(text),
    ...order(text.instructions),
    ...text.instructions.flatMap(instruction),
    ...dockerfile.stages.flatMap((stage) => fromLine(stage, dockerfile, options)),
    ...links(dockerfile, options),
  ];
  return problems
    .toSorted((one, other) => one.line - other.line)
    .map(({ line, what, mend }) => new WaybillError(what, { where: `${dockerfile.file}:${line}`, mend }));
}

function unterminated(text: InstructionText): Problem[] {
  return text.unterminated.map(({ line, what, name }) =>
    what === "heredoc"
      ? { line, what: `the heredoc <<${name} has no end`, mend: `end it with a line that says ${name} alone` }
      : {
          line,
          what: `the instruction goes on past the end of the file`,
          mend: `take the last ${text.escape} away or finish the instruction`,
        },
  );
}

function order(instructions: readonly Instruction[]): Problem[] {
  const firstFrom = instructions.findIndex(({ keyword }) => keyword === "FROM");
  if (firstFrom < 0) return [{ line: 1, what: "no FROM", mend: "begin with FROM an image, or FROM scratch" }];
  const early = instructions
    .slice(0, firstFrom)
    .filter(({ keyword }) => keyword !== "ARG" && KEYWORDS.includes(keyword));
  return early.map(({ keyword, line }) => ({
    line,
    what: `${keyword} before the first FROM`,
    mend: "only ARG may stand there: move it below FROM",
  }));
}

function instruction(given: Instruction): Problem[] {
  const { keyword, line, text, flags, heredocs } = given;
  if (!KEYWORDS.includes(keyword)) {
    return [{ line, what: `unknown instruction ${keyword}`, mend: `did you mean ${closestTo(keyword, KEYWORDS)}?` }];
  }
  if (text === "") return [{ line, what: `${keyword} says nothing`, mend: "give it an argument or delete the line" }];
  const known = FLAGS[keyword] ?? [];
  const strange = flags.filter(({ name }) => !known.includes(name));
  return [
    ...strange.map(({ name }) => ({
      line,
      what: `${keyword} has no flag --${name}`,
      mend: `did you mean --${closestTo(name, known)}?`,
    })),
    ...copied(keyword, line, formOf(text).words.length, heredocs.length),
    ...noVariables(given),
  ];
}

function copied(keyword: string, line: number, words: number, heredocs: number): Problem[] {
  if ((keyword !== "COPY" && keyword !== "ADD") || words >= 2 || heredocs > 0) return [];
  return [{ line, what: `${keyword} names no destination`, mend: `write ${keyword} <source>… <destination>` }];
}

/** The engine knows images and stages before it knows the variables of a stage. */
function noVariables(given: Instruction): Problem[] {
  const froms = given.keyword === "COPY" ? flagValues(given, "from") : given.keyword === "RUN" ? mountsFrom(given) : [];
  return froms
    .filter((from) => from.includes("$"))
    .map((from) => ({
      line: given.line,
      what: `a variable in from=${from}`,
      mend: "give that image a stage of its own (FROM … AS name) and name the stage here",
    }));
}

function fromLine(stage: Stage, dockerfile: Dockerfile, options: BuildOptions): Problem[] {
  const { raw, line } = stage.from;
  if (raw === "") return [];
  const global = globalScope(dockerfile.args, dockerfile.escape, options);
  const { value, missing, error } = expand(raw, (name) => global.get(name), dockerfile.escape);
  if (error !== undefined) return [{ line, what: error, mend: "write ${NAME} or ${NAME:-default}" }];
  const problems = [...missing].map((name) => noValue(name, line, dockerfile));
  if (value === "" && problems.length === 0) {
    problems.push({ line, what: `${raw} comes to nothing`, mend: "give the ARG a default" });
  }
  return [...problems, ...stageName(stage, dockerfile)];
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
