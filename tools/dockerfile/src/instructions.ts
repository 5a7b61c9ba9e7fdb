// Cuts the text of a Dockerfile into instructions. dockerfile-ast finds where each begins and ends, its heredocs and the parser
// directives; the words are ours, because the library loses blanks inside JSON strings and keeps comments between ARGs.

import { DockerfileParser } from "dockerfile-ast";
import type { Instruction as AstInstruction, Run } from "dockerfile-ast";
import type { Dockerfile, Flag, Heredoc, Instruction } from "./dockerfile.ts";

export interface InstructionText {
  instructions: Instruction[];
  escape: Dockerfile["escape"];
  syntax: string | undefined;
  /** Lines (from 1) where an instruction or a heredoc goes on past the end of the file. */
  unterminated: { line: number; what: "continuation" | "heredoc"; name?: string }[];
}

/** Instructions in their order, unknown ones and all. Never throws. */
export function readInstructions(text: string): InstructionText {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const parsed = DockerfileParser.parse(lines.join("\n"));
  const escape = parsed.getEscapeCharacter() === "`" ? "`" : "\\";
  const syntax = parsed.getDirectives().find((directive) => directive.getName().toLowerCase() === "syntax");
  const result: InstructionText = { instructions: [], escape, syntax: syntax?.getValue(), unterminated: [] };
  for (const found of parsed.getInstructions()) read(found, lines, result);
  return result;
}

const HAVE_FLAGS = new Set(["FROM", "ADD", "COPY", "RUN", "HEALTHCHECK"]);
const HAVE_HEREDOCS = new Set(["ADD", "COPY", "RUN"]);

function read(found: AstInstruction, lines: readonly string[], result: InstructionText): void {
  const range = found.getRange();
  const first = range.start.line;
  const keyword = found.getInstruction().toUpperCase();
  const { text, ends } = joinContinued(lines, first, result.escape);
  if (!ends) result.unterminated.push({ line: first + 1, what: "continuation" });
  const { flags, rest } = splitFlags(text.replace(/^\s*\S+\s*/, ""), HAVE_FLAGS.has(keyword));
  const heredocs = HAVE_HEREDOCS.has(keyword) ? readHeredocs(found, rest, lines, result) : [];
  result.instructions.push({
    keyword,
    line: first + 1,
    endLine: range.end.line + 1,
    flags,
    text: rest.trim(),
    heredocs,
  });
}

/**
 * One instruction's logical line. Comments and empty lines inside a continuation are skipped, as the engine does.
 * `ends` is false where the file stops in the middle.
 */
function joinContinued(lines: readonly string[], first: number, escape: string): { text: string; ends: boolean } {
  let text = "";
  for (let index = first; index < lines.length; index++) {
    const line = lines[index] ?? "";
    if (index > first && /^\s*(#|$)/.test(line)) continue;
    const kept = line.trimEnd();
    if (!kept.endsWith(escape)) return { text: text + line, ends: true };
    text += kept.slice(0, -1);
  }
  return { text, ends: false };
}

function splitFlags(text: string, hasFlags: boolean): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let rest = text;
  for (;;) {
    const match = hasFlags ? /^--([A-Za-z][\w-]*)(?:=((?:"[^"]*"|'[^']*'|\S)*))?(?:\s+|$)/.exec(rest) : null;
    if (match === null) return { flags, rest };
    const [whole, name = "", value] = match;
    flags.push(value === undefined ? { name } : { name, value: value.replace(/["']/g, "") });
    rest = rest.slice(whole.length);
  }
}

function readHeredocs(
  found: AstInstruction,
  text: string,
  lines: readonly string[],
  result: InstructionText,
): Heredoc[] {
  if (!text.includes("<<")) return [];
  return (found as Run).getHeredocs().map((heredoc) => {
    const name = heredoc.getName();
    const content = heredoc.getContentRange();
    if (heredoc.getDelimiterRange() === null) {
      result.unterminated.push({ line: heredoc.getStartRange().start.line + 1, what: "heredoc", name });
    }
    const body = content === null ? "" : lines.slice(content.start.line, content.end.line + 1).join("\n");
    return { name, body, expands: !new RegExp(`<<-?["']`).test(text) };
  });
}
