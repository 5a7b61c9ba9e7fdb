// Splits an instruction's text into words, and words into names and values, as BuildKit does before variables are put in.

/** Words as written, quotes and all: blanks inside quotes and escaped blanks don't split. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
      continue;
    }
    word += char;
    if (char === escape && quote !== "'" && at + 1 < text.length) word += text[++at] ?? "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
  }
  return word === "" ? words : [...words, word];
}

/** The strings of a JSON form (`["a b", "c"]`), or the words of a plain one; `json` tells which it was. */
export function formOf(text: string): { words: string[]; json: boolean } {
  if (text.startsWith("[")) {
    try {
      const parsed: unknown = JSON.parse(text);
      if (Array.isArray(parsed) && parsed.every((item) => typeof item === "string"))
        return { words: parsed, json: true };
    } catch {
      // Not JSON: the engine too takes it for plain words.
    }
  }
  return { words: text.split(/\s+/).filter((word) => word !== ""), json: false };
}

/** `NAME=value` pairs of ARG and ENV; the value is as written, and absent for a bare `NAME`. */
export function assignments(text: string, escape: string): { name: string; value?: string }[] {
  return splitWords(text, escape).map((word) => {
    const at = word.indexOf("=");
    return at < 0 ? { name: word } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
}

/** ENV also knows `ENV NAME the rest of the line`. */
export function environmentOf(text: string, escape: string): { name: string; value?: string }[] {
  const old = /^([^\s=]+)\s+(.*)$/s.exec(text);
  return old ? [{ name: old[1] ?? "", value: old[2] ?? "" }] : assignments(text, escape);
}
