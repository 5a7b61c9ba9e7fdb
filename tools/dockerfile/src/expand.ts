// Variables in a Dockerfile's words, as BuildKit's own small shell reads them
// (https://docs.docker.com/reference/dockerfile/#environment-replacement): $X, ${X}, ${X:-d}, ${X-d}, ${X:+a}, ${X+a}, ${X:?e},
// ${X#p}, ${X##p}, ${X%p}, ${X%%p}, ${X/p/r}, ${X//p/r}, quotes and the escape character.

export type Lookup = (name: string) => string | undefined;

export interface Expansion {
  value: string;
  /** Every variable that was looked at. */
  used: Set<string>;
  /** Variables without a value, where the word has no other for them. */
  missing: Set<string>;
  /** What is wrong with the word, such as an unclosed "${". */
  error?: string;
}

/** Puts values into a word and takes its quotes away. */
export function expand(word: string, lookup: Lookup, escape = "\\"): Expansion {
  const result: Expansion = { value: "", used: new Set(), missing: new Set() };
  const reader = new Reader(word, lookup, escape, result);
  result.value = reader.until("");
  return result;
}

/** The variables a text names, wherever they stand: for shell commands, whose quoting is the shell's own affair. */
export function variablesIn(text: string): Set<string> {
  return new Set(Array.from(text.matchAll(/\$\{?([A-Za-z_]\w*)/g), (match) => match[1] ?? ""));
}

class Reader {
  #at = 0;
  readonly #word: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  readonly #result: Expansion;

  constructor(word: string, lookup: Lookup, escape: string, result: Expansion) {
    this.#word = word;
    this.#lookup = lookup;
    this.#escape = escape;
    this.#result = result;
  }

  /** Reads to one of the characters in `stops` (which is taken too), or to the end. */
  until(stops: string): string {
    let value = "";
    while (this.#at < this.#word.length) {
      const char = this.#word[this.#at] ?? "";
      if (stops.includes(char)) break;
      value += this.#next(char, stops);
    }
    if (stops !== "" && this.#at >= this.#word.length) this.#result.error ??= `no closing ${stops} in ${this.#word}`;
    this.#at++;
    return value;
  }

  #next(char: string, stops: string): string {
    if (char === "$") return this.#variable();
    this.#at++;
    const quoted = stops === '"';
    if (char === this.#escape) return this.#escaped(quoted);
    if (char === "'" && !quoted) return this.#literal();
    if (char === '"' && !quoted) return this.until('"');
    return char;
  }

  /** In double quotes only `"`, `$` and the escape character itself can be escaped. */
  #escaped(quoted: boolean): string {
    const char = this.#word[this.#at] ?? "";
    this.#at++;
    return quoted && !['"', "$", this.#escape].includes(char) ? this.#escape + char : char;
  }

  #literal(): string {
    const end = this.#word.indexOf("'", this.#at);
    if (end < 0) this.#result.error ??= `no closing ' in ${this.#word}`;
    const value = this.#word.slice(this.#at, end < 0 ? undefined : end);
    this.#at = end < 0 ? this.#word.length : end + 1;
    return value;
  }

  #variable(): string {
    this.#at++;
    const braced = this.#word[this.#at] === "{";
    if (braced) this.#at++;
    const name = /^(?:[A-Za-z_]\w*|\d)/.exec(this.#word.slice(this.#at))?.[0] ?? "";
    this.#at += name.length;
    if (!braced) return name === "" ? "$" : this.#plain(name);
    if (name === "") this.#result.error ??= `no name after \${ in ${this.#word}`;
    if (this.#word[this.#at] !== "}") return this.#modified(name);
    this.#at++;
    return this.#plain(name);
  }

  #plain(name: string): string {
    this.#result.used.add(name);
    const value = this.#lookup(name);
    if (value === undefined) this.#result.missing.add(name);
    return value ?? "";
  }

  /** After the name, before the modifier. */
  #modified(name: string): string {
    const operator = /^(?::?[-+?]|##?|%%?|\/\/?)/.exec(this.#word.slice(this.#at))?.[0] ?? "";
    this.#at += operator.length;
    if (operator === "") this.#result.error ??= `unknown substitution in ${this.#word}`;
    if (operator.startsWith("/")) return this.#replaced(name, operator === "//");
    if (/^[#%]/.test(operator)) return trimmed(this.#plain(name), operator, this.until("}"));
    return this.#alternative(name, operator);
  }

  /** The word after the operator names variables that are only needed where it is chosen. */
  #alternative(name: string, operator: string): string {
    this.#result.used.add(name);
    const found = this.#lookup(name);
    const present = operator.startsWith(":") ? found !== undefined && found !== "" : found !== undefined;
    const before = new Set(this.#result.missing);
    const other = this.until("}");
    const takesOther = operator.endsWith("+") ? present : !present;
    if (!takesOther) this.#result.missing = before;
    if (operator.endsWith("?") && !present) this.#result.missing.add(name);
    if (operator.endsWith("+")) return present ? other : "";
    return present ? (found ?? "") : operator.endsWith("?") ? "" : other;
  }

  #replaced(name: string, all: boolean): string {
    const pattern = globRegex(this.until("/}"));
    const withText = this.#word[this.#at - 1] === "/" ? this.until("}") : "";
    return this.#plain(name).replace(new RegExp(pattern, all ? "g" : ""), () => withText);
  }
}

/** `#` takes the shortest match from the front, `##` the longest; `%` and `%%` from the back. */
function trimmed(value: string, operator: string, pattern: string): string {
  const regex = new RegExp(`^(?:${globRegex(pattern)})$`, "s");
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator.length === 2) lengths.reverse();
  const front = operator.startsWith("#");
  const cut = (length: number): string => (front ? value.slice(0, length) : value.slice(value.length - length));
  const length = lengths.find((candidate) => regex.test(cut(candidate)));
  if (length === undefined) return value;
  return front ? value.slice(length) : value.slice(0, value.length - length);
}

function globRegex(pattern: string): string {
  return pattern.replace(/[\\^$.*+?()[\]{}|]/g, (char) => (char === "*" ? ".*" : char === "?" ? "." : `\\${char}`));
}
