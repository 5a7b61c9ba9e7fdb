// One program of a control plane, running until it is stopped.

import { run } from "@waybill/oci";

/** Lines that are kept for the error that tells why it ended. */
const LOG_LINES = 60;

export class Component {
  readonly name: string;
  readonly #log: string[] = [];
  readonly #stopper = new AbortController();
  readonly #ended: Promise<void>;
  #failure: Error | undefined;

  constructor(name: string, command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.name = name;
    const onLine = (line: string): void => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES) this.#log.shift();
    };
    this.#ended = run(command, args, { signal: this.#stopper.signal, onLine, env }).then(
      ({ exitCode }) => void (this.#failure = new Error(`${name} ended with exit code ${exitCode}:\n${this.log}`)),
      (error: unknown) => {
        if (!this.#stopper.signal.aborted) this.#failure = error as Error;
      },
    );
  }

  /** The last lines it printed. */
  get log(): string {
    return this.#log.join("\n");
  }

  /** @throws {Error} it has ended by itself: its last lines */
  throwIfEnded(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopper.abort();
    await this.#ended;
  }
}
