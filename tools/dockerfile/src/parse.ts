// From a Dockerfile's text to its stages.

import { readFile } from "node:fs/promises";
import { WaybillError } from "@waybill/oci/error";
import { check } from "./check.ts";
import type { ArgDeclaration, BuildOptions, Dockerfile, Instruction, Stage } from "./dockerfile.ts";
import { flagValues } from "./dockerfile.ts";
import { expand } from "./expand.ts";
import { readInstructions } from "./instructions.ts";
import { globalScope } from "./scope.ts";
import { assignments, splitWords } from "./words.ts";

/**
 * Reads a Dockerfile. Never throws: what is wrong with it is in `problems`; `requireSound` turns the first into an exception.
 * @param file the path for messages, from the workspace's root
 */
export function parseDockerfile(text: string, file: string, options: BuildOptions = {}): Dockerfile {
  const read = readInstructions(text);
  const firstFrom = read.instructions.findIndex((instruction) => instruction.keyword === "FROM");
  const before = firstFrom < 0 ? read.instructions : read.instructions.slice(0, firstFrom);
  const args = before.filter(({ keyword }) => keyword === "ARG").flatMap((arg) => declarations(arg, read.escape));
  const global = globalScope(args, read.escape, options);
  const resolve = (word: string): string => expand(word, (name) => global.get(name), read.escape).value;
  const stages = firstFrom < 0 ? [] : stagesOf(read.instructions.slice(firstFrom), read.escape, resolve);
  const dockerfile: Dockerfile = { file, escape: read.escape, args, stages, problems: [] };
  if (read.syntax !== undefined) dockerfile.syntax = read.syntax;
  dockerfile.problems = check(dockerfile, read, options);
  return dockerfile;
}

/** @throws {WaybillError} the file can't be read, or has a problem */
export async function readDockerfile(file: string, options: BuildOptions = {}): Promise<Dockerfile> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new WaybillError("can't read the Dockerfile", {
      where: file,
      mend: "is the file there and readable?",
      cause,
    });
  });
  return requireSound(parseDockerfile(text, file, options));
}

/** @throws {WaybillError} the first problem, if there is one */
export function requireSound(dockerfile: Dockerfile): Dockerfile {
  const [first] = dockerfile.problems;
  if (first !== undefined) throw first;
  return dockerfile;
}

function declarations({ text, line }: Instruction, escape: string): ArgDeclaration[] {
  return assignments(text, escape).map((assignment) => ({ ...assignment, line }));
}

function stagesOf(instructions: readonly Instruction[], escape: string, resolve: (word: string) => string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of instructions) {
    if (instruction.keyword === "FROM") stages.push(stageOf(instruction, stages.length, escape, resolve));
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

function stageOf(from: Instruction, index: number, escape: string, resolve: (word: string) => string): Stage {
  const [raw = "", as, name] = splitWords(from.text, escape);
  const stage: Stage = { index, from: { raw, resolved: resolve(raw), line: from.line }, instructions: [] };
  if (as?.toUpperCase() === "AS" && name !== undefined) stage.name = name.toLowerCase();
  const [platform] = flagValues(from, "platform");
  if (platform !== undefined) stage.platform = platform;
  return stage;
}
