// JSON.parse forgets where a value stood. This finds it again, so that a problem can be told with its line.

/** The 1-based line of the value at `path` in valid JSON `text`; that of the nearest parent where the path doesn't exist. */
export function lineOfPath(text: string, path: readonly (string | number)[]): number {
  return new Finder(text).find(path);
}

class Finder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(path: readonly (string | number)[]): number {
    let found = this.#start();
    for (const step of path) {
      if (!this.#enter(step)) break;
      found = this.#start();
    }
    return this.#text.slice(0, found).split("\n").length;
  }

  #start(): number {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#at;
  }

  /** From the start of a container, goes to the start of its member `step`. */
  #enter(step: string | number): boolean {
    const open = this.#text[this.#at];
    if (open !== "{" && open !== "[") return false;
    this.#at++;
    for (let index = 0; ; index++) {
      this.#start();
      if ("]}".includes(this.#text[this.#at] ?? "}")) return false;
      const key = open === "{" ? this.#key() : index;
      if (key === step) return true;
      this.#skip();
      this.#start();
      if (this.#text[this.#at] === ",") this.#at++;
    }
  }

  #key(): string {
    const from = this.#at;
    this.#skipString();
    const key = JSON.parse(this.#text.slice(from, this.#at)) as string;
    this.#start();
    this.#at++; // the colon
    return key;
  }

  #skip(): void {
    this.#start();
    let depth = 0;
    do {
      const char = this.#text[this.#at] ?? "";
      if (char === '"') this.#skipString();
      else {
        if ("{[".includes(char)) depth++;
        if ("}]".includes(char)) depth--;
        this.#at++;
      }
    } while (this.#at < this.#text.length && (depth > 0 || !/[,\]}]/.test(this.#text[this.#at] ?? "")));
  }

  #skipString(): void {
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) if (this.#text[this.#at] === "\\") this.#at++;
    this.#at++;
  }
}
