// One .dockerignore pattern as a test of a path, as github.com/moby/patternmatcher reads it: `*` and `?` stop at "/", `[…]` is
// handed to the regular expression as it stands, `\` escapes, `**` is any number of folders.

/** @param pattern cleaned, without "!" */
export function matcherOf(pattern: string): (path: string) => boolean {
  if (!/[*?[\\]/.test(pattern)) return (path) => path === pattern;
  // "**" and then plain text compares ends, even inside a name: "**.log" matches "a/b.log".
  const suffix = /^\*\*([^*?[\]\\]+)$/.exec(pattern)?.[1];
  if (suffix !== undefined) return (path) => path.endsWith(suffix) || `/${path}` === suffix;
  const regex = compiled(pattern);
  return (path) => regex.test(path);
}

function compiled(pattern: string): RegExp {
  try {
    return new RegExp(`^${regexOf(pattern)}$`, "s");
  } catch {
    // The engine refuses such a file; here it matches nothing, so that nothing is left out by mistake.
    return /(?!)/;
  }
}

function regexOf(pattern: string): string {
  let regex = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at] ?? "";
    if (pattern.startsWith("**", at)) {
      at += pattern[at + 2] === "/" ? 2 : 1;
      regex += at + 1 >= pattern.length ? ".*" : "(?:.*/)?";
    } else if (char === "*") regex += "[^/]*";
    else if (char === "?") regex += "[^/]";
    else if (char === "\\" && at + 1 < pattern.length) regex += afterBackslash(pattern[++at] ?? "");
    else regex += char === "[" || char === "]" ? char : escaped(char);
  }
  return regex;
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) && char !== "^" ? `\\${char}` : char;
}

/** Go's regular expression sees a backslash and a letter together: "\\d" is a digit and "\\a" a bell, not a letter. */
function afterBackslash(char: string): string {
  if (char === "a") return "\\x07";
  return `\\${char}`;
}
