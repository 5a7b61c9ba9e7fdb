// .dockerignore with the semantics BuildKit gives it (github.com/moby/patternmatcher): one pattern a line, "!" takes back, the last
// pattern that matches wins, and what a folder matched its files match too.

import { matcherOf } from "./ignore-pattern.ts";
import { hasWildcard } from "./path-pattern.ts";

export interface IgnorePattern {
  /** Cleaned: no "!", no leading or trailing slash. */
  pattern: string;
  /** True for "!": sends again what an earlier pattern left out. */
  negated: boolean;
  /** From 1. */
  line: number;
}

/** What a folder's patterns said, handed down to what lies in it. */
export interface IgnoreState {
  ignored: boolean;
  matched: readonly boolean[];
}

export class Ignore {
  readonly patterns: readonly IgnorePattern[];
  readonly #matchers: readonly ((path: string) => boolean)[];

  constructor(patterns: readonly IgnorePattern[]) {
    this.patterns = patterns;
    this.#matchers = patterns.map(({ pattern }) => matcherOf(pattern));
  }

  /** @param path relative to the context, "/" between its parts; true where Docker doesn't send it */
  ignores(path: string): boolean {
    const parts = path.split("/");
    let state: IgnoreState | undefined;
    for (const index of parts.keys()) state = this.enter(parts.slice(0, index + 1).join("/"), state);
    return state?.ignored ?? false;
  }

  /**
   * One step down a tree.
   * @param parent what this gave for the folder that holds `path`; absent at the top
   */
  enter(path: string, parent?: IgnoreState): IgnoreState {
    let ignored = false;
    const matched = this.patterns.map(({ negated }, index) => {
      // A pattern that could change nothing isn't asked, and so isn't handed down either: BuildKit does the same.
      const matches = parent?.matched[index] || (negated === ignored && this.#matchers[index]?.(path) === true);
      if (matches) ignored = !negated;
      return matches;
    });
    return { ignored, matched };
  }

  /** True where a "!" may send something below an ignored folder again, so that it must be looked into. */
  mayHoldException(folder: string): boolean {
    return this.patterns.some(({ pattern, negated }) => negated && mayMatchBelow(pattern, folder));
  }

  /** True for the form that says what is sent, not what isn't: its first pattern ignores everything. */
  get isAllowList(): boolean {
    const [first] = this.patterns;
    return first !== undefined && ignoresAll(first);
  }
}

/** True for `*` and its like: nothing before it counts any more. */
export function ignoresAll({ pattern, negated }: IgnorePattern): boolean {
  return !negated && ["*", "**", "**/*"].includes(pattern);
}

/** Reads a .dockerignore. Comments, empty lines and a lone "!" are left out. */
export function parseIgnore(text: string): Ignore {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return new Ignore(
    lines.flatMap((raw, index) => {
      if (raw.startsWith("#")) return [];
      const trimmed = raw.trim();
      const negated = trimmed.startsWith("!");
      const pattern = cleanPath(negated ? trimmed.slice(1).trim() : trimmed);
      return pattern === "" ? [] : [{ pattern, negated, line: index + 1 }];
    }),
  );
}

/** As Go's filepath.Clean, without a leading slash: "/src/", "./src" and "src" are one; the context itself is "". */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function mayMatchBelow(pattern: string, folder: string): boolean {
  const parts = pattern.split("/");
  const wild = parts.findIndex(hasWildcard);
  const fixed = parts.slice(0, wild < 0 ? undefined : wild).join("/");
  return wild === 0 || fixed.startsWith(`${folder}/`) || (wild > 0 && `${folder}/`.startsWith(`${fixed}/`));
}
