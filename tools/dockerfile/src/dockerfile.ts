// What a Dockerfile says, stage by stage.

import type { WaybillError } from "@waybill/oci";

/** Lines are counted from 1, as editors do. */
export interface Dockerfile {
  /** As it was given: the path that messages name. */
  file: string;
  escape: "\\" | "`";
  /** The image of a `# syntax=` line, which an engine would pull. */
  syntax?: string;
  /** ARGs before the first FROM, with their defaults as written. */
  args: ArgDeclaration[];
  stages: Stage[];
  /** Each is one line with file, line and mend. A Dockerfile with problems is still read as far as it makes sense. */
  problems: WaybillError[];
}

export interface Stage {
  /** From 0, as `COPY --from=0` counts. */
  index: number;
  /** In lower case: stage names don't tell cases apart. */
  name?: string;
  from: {
    /** As written. */
    raw: string;
    /** With build args and defaults put in; empty where an ARG has no value. */
    resolved: string;
    line: number;
  };
  /** The value of `--platform` as written, such as `$BUILDPLATFORM`. */
  platform?: string;
  /** Without the FROM. */
  instructions: Instruction[];
}

export interface Instruction {
  /** In upper case. */
  keyword: string;
  line: number;
  endLine: number;
  flags: Flag[];
  /** What follows the flags: continued lines joined, comments and heredocs' bodies left out. */
  text: string;
  heredocs: Heredoc[];
}

export interface Flag {
  name: string;
  value?: string;
}

export interface Heredoc {
  name: string;
  body: string;
  /** False for `<<"EOF"`, whose variables stay as they are. */
  expands: boolean;
}

export interface ArgDeclaration {
  name: string;
  /** The default as written; absent for `ARG NAME`. */
  value?: string;
  line: number;
}

/** What a build is given from outside. */
export interface BuildOptions {
  buildArgs?: Readonly<Record<string, string>>;
  /** What is built for. Default "linux/amd64": an answer must not depend on the machine. */
  platform?: string;
  /** What is built on, `$BUILDPLATFORM`. Default: what is built for. */
  buildPlatform?: string;
  /** A stage by name or index. Default: the last. */
  target?: string;
}

/** The values of all flags of that name: `--mount` comes more than once. */
export function flagValues(instruction: Instruction, name: string): string[] {
  return instruction.flags.filter((flag) => flag.name === name).map((flag) => flag.value ?? "");
}
