// Cuts a stream of text chunks into lines.

export class LineSplitter {
  #rest = "";
  readonly #onLine: (line: string) => void;

  /** @param onLine gets each line without "\n" or "\r\n" */
  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#emit(line);
  }

  /** Gives out a last line that had no line end. */
  end(): void {
    if (this.#rest !== "") this.#emit(this.#rest);
    this.#rest = "";
  }

  #emit(line: string): void {
    this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
  }
}
