// Patterns for repositories and tags: "*" is anything within a component, "**" anything at all.

const cache = new Map<string, RegExp>();

export function matches(pattern: string, text: string): boolean {
  let expression = cache.get(pattern);
  if (expression === undefined) {
    const source = pattern
      .split(/(\/\*\*$|\*\*|\*|\?)/)
      .map((part) => PARTS[part] ?? part.replace(/[.+^${}()|[\]\\]/g, "\\$&"))
      .join("");
    expression = new RegExp(`^${source}$`);
    cache.set(pattern, expression);
  }
  return expression.test(text);
}

/** "team/**" is the repository "team" too. */
const PARTS: Record<string, string> = { "/**": "(?:/.*)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
