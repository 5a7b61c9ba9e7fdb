// Tells what a user can mend (a missing program, a bad file, a refused push) from a bug. Commands print the one line of an
// expected failure; anything else is a bug and keeps its stack.

export interface ErrorContext {
  /** The file (with ":line" where known), URL, image or program it happened in. */
  where?: string | undefined;
  /** What the reader does next: a command, a setting, a file to edit. */
  mend?: string | undefined;
  cause?: unknown;
}

/** An expected failure. Its message is one line, "what, where: mend", safe to print on a terminal. */
export class WaybillError extends Error {
  override name = "WaybillError";
  readonly what: string;
  readonly where: string | undefined;
  readonly mend: string | undefined;

  constructor(what: string, { where, mend, cause }: ErrorContext = {}) {
    const place = where === undefined ? "" : `, ${where}`;
    const advice = mend === undefined ? "" : `: ${mend}`;
    super(escapeControls(what + place + advice), cause === undefined ? {} : { cause });
    this.what = what;
    this.where = where;
    this.mend = mend;
  }
}

/** True for a failure the user can mend, false for a bug. */
export function isExpected(error: unknown): error is WaybillError {
  return error instanceof WaybillError;
}

/** The text of anything that was thrown, on one line. */
export function messageOf(error: unknown): string {
  return escapeControls(error instanceof Error ? error.message : String(error));
}

/**
 * Shows control and bidirectional characters as escapes: text from a registry or a program must neither break the line nor
 * drive the terminal.
 */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (char) => NAMED[char] ?? escapeCode(char));
}

const NAMED: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCode(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}
