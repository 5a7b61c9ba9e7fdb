// What is wrong with a Dockerfile before any engine sees it: each problem one line, with file and line and the mend.

import { WaybillError } from "@waybill/oci/error";
import { stageProblems } from "./check-stages.ts";
import type { Problem } from "./check-stages.ts";
import type { BuildOptions, Dockerfile, Instruction } from "./dockerfile.ts";
import { flagValues } from "./dockerfile.ts";
import { mountsFrom } from "./graph.ts";
import type { InstructionText } from "./instructions.ts";
import { closestTo } from "./similar.ts";
import { formOf } from "./words.ts";

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
    ...stageProblems(dockerfile, options),
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
    ...valueless(keyword, line, text),
    ...fromWords(keyword, line, text),
    ...noVariables(given),
  ];
}

function copied(keyword: string, line: number, words: number, heredocs: number): Problem[] {
  if ((keyword !== "COPY" && keyword !== "ADD") || words >= 2 || heredocs > 0) return [];
  return [{ line, what: `${keyword} names no destination`, mend: `write ${keyword} <source>… <destination>` }];
}

function fromWords(keyword: string, line: number, text: string): Problem[] {
  const [, as, ...rest] = text.split(/\s+/);
  if (keyword !== "FROM" || as === undefined || (as.toUpperCase() === "AS" && rest.length === 1)) return [];
  return [{ line, what: "FROM takes an image and, after AS, a name", mend: "write FROM <image> AS <name>" }];
}

function valueless(keyword: string, line: number, text: string): Problem[] {
  if ((keyword !== "ENV" && keyword !== "LABEL") || /[=\s]/.test(text)) return [];
  return [{ line, what: `${keyword} ${text} has no value`, mend: `write ${keyword} ${text}=…` }];
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
