// Cuts the text of a Dockerfile into instructions, line by line as BuildKit's own parser does (moby/buildkit,
// frontend/dockerfile/parser). The library tried for this, dockerfile-ast 0.7.1, lost blanks in JSON strings, kept comments between
// ARGs, and read past the end of heredocs that hold quotes.

import type { Dockerfile, Flag, Heredoc, Instruction } from "./dockerfile.ts";
import { splitWords } from "./words.ts";

export interface InstructionText {
  instructions: Instruction[];
  escape: Dockerfile["escape"];
  syntax: string | undefined;
  /** Lines (from 1) where an instruction or a heredoc goes on past the end of the file. */
  unterminated: { line: number; what: "continuation" | "heredoc"; name?: string }[];
}

/** Instructions in their order, unknown ones and all. Never throws. */
export function readInstructions(text: string): InstructionText {
  const lines = text
    .replace(/^\uFEFF/, "")
    .replace(/\r?\n$/, "")
    .split(/\r?\n/);
  const directives = directivesOf(lines);
  const escape = directives.get("escape") === "`" ? "`" : "\\";
  const reader = new LineReader(lines, escape);
  while (reader.next());
  return {
    instructions: reader.instructions,
    escape,
    syntax: directives.get("syntax"),
    unterminated: reader.unterminated,
  };
}

/** Parser directives stand on the first lines; anything else ends them. */
function directivesOf(lines: readonly string[]): Map<string, string> {
  const directives = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line) ?? [];
    if (!["syntax", "escape", "check"].includes(name.toLowerCase())) break;
    directives.set(name.toLowerCase(), value);
  }
  return directives;
}

const HAVE_FLAGS = new Set(["FROM", "ADD", "COPY", "RUN", "HEALTHCHECK"]);
const COMMENT = /^\s*#/;

class LineReader {
  readonly instructions: Instruction[] = [];
  readonly unterminated: InstructionText["unterminated"] = [];
  #at = 0;
  readonly #lines: readonly string[];
  readonly #escape: string;

  constructor(lines: readonly string[], escape: string) {
    this.#lines = lines;
    this.#escape = escape;
  }

  /** Reads one instruction, or passes over one line that holds none. False at the end. */
  next(): boolean {
    const first = this.#lines[this.#at];
    if (first === undefined) return false;
    const line = this.#at + 1;
    if (COMMENT.test(first) || first.trim() === "") this.#at++;
    else this.#read(line);
    return true;
  }

  #read(line: number): void {
    const text = this.#logicalLine();
    const [, keyword = "", rest = ""] = /^\s*(\S*)\s*(.*)$/s.exec(text) ?? [];
    const heredocs = heredocsOf(keyword.toUpperCase(), rest, this.#escape).map((heredoc) => this.#body(heredoc, line));
    const { flags, text: words } = splitFlags(rest, HAVE_FLAGS.has(keyword.toUpperCase()));
    const endLine = this.#at;
    this.instructions.push({ keyword: keyword.toUpperCase(), line, endLine, flags, text: words.trim(), heredocs });
  }

  /** Comments and empty lines inside a continuation are skipped, as the engine does. */
  #logicalLine(): string {
    const first = this.#at;
    let text = "";
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      this.#at++;
      if (this.#at - 1 > first && (COMMENT.test(line) || line.trim() === "")) continue;
      const { kept, continues } = this.#continuation(line);
      text += kept;
      if (!continues) return text;
    }
    this.unterminated.push({ line: first + 1, what: "continuation" });
    return text;
  }

  /** The escape character at the end goes on, blanks after it or not; two of them are one that is meant. */
  #continuation(line: string): { kept: string; continues: boolean } {
    const trimmed = line.replace(/[ \t]+$/, "");
    const continues = trimmed.endsWith(this.#escape) && !trimmed.endsWith(this.#escape.repeat(2));
    return continues ? { kept: trimmed.slice(0, -1), continues } : { kept: line, continues };
  }

  #body({ name, chomps, expands }: HeredocStart, instruction: number): Heredoc {
    const body: string[] = [];
    for (let line = this.#lines[this.#at]; line !== undefined; line = this.#lines[this.#at]) {
      this.#at++;
      if ((chomps ? line.replace(/^\t+/, "") : line) === name) return { name, body: body.join("\n"), expands };
      body.push(line);
    }
    this.unterminated.push({ line: instruction, what: "heredoc", name });
    return { name, body: body.join("\n"), expands };
  }
}

interface HeredocStart {
  name: string;
  /** `<<-`: tabs before the end don't count. */
  chomps: boolean;
  expands: boolean;
}

/** A word of its own such as `<<EOF`, `3<<-EOF` or `<<"EOF"`, in an instruction that may have one. */
function heredocsOf(keyword: string, text: string, escape: string): HeredocStart[] {
  const instruction = keyword === "ONBUILD" ? (/^\w+/.exec(text)?.[0] ?? "") : keyword;
  if (!text.includes("<<") || !/^(?:ADD|COPY|RUN)$/i.test(instruction)) return [];
  return splitWords(text, escape).flatMap((word) => {
    const [, dash, raw = ""] = /^\d*<<(-?)([^<]+)$/s.exec(word) ?? [];
    if (dash === undefined) return [];
    const name = raw.replace(/["'\\]/g, "");
    return [{ name, chomps: dash === "-", expands: name === raw }];
  });
}

function splitFlags(text: string, hasFlags: boolean): { flags: Flag[]; text: string } {
  const flags: Flag[] = [];
  let rest = text;
  for (;;) {
    const match = hasFlags ? /^--([A-Za-z][\w-]*)(?:=((?:"[^"]*"|'[^']*'|\S)*))?(?:\s+|$)/.exec(rest) : null;
    if (match === null) return { flags, text: rest };
    const [whole, name = "", value] = match;
    flags.push(value === undefined ? { name } : { name, value: value.replace(/["']/g, "") });
    rest = rest.slice(whole.length);
  }
}
