/** The program as a process of its own, started as the image starts it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";
import "./patience.ts";
import { freePort } from "@waybill/testing/free-port";

const SOURCE = new URL("../../src/main.ts", import.meta.url).pathname;

export interface ServiceOptions {
  readonly args?: string[];
  readonly env?: Record<string, string>;
  /** The program's file; src/main.ts when not given. */
  readonly program?: string;
}

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

export class Service {
  readonly url: string;
  readonly port: number;
  output = "";
  readonly #child: ChildProcess;
  readonly #ended: Promise<Ended>;
  #hasEnded = false;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.#ended = once(child, "close").then(([exitCode, signal]) => {
      this.#hasEnded = true;
      return { exitCode, signal };
    });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await this.#ended;
    });
  }

  /** Starts the program with nothing in its environment but `env`, HOST and PORT. Returns before it listens. */
  static async start({ args = [], env = {}, program = SOURCE }: ServiceOptions = {}): Promise<Service> {
    const port = Number(env["PORT"] ?? (await freePort()));
    const child = spawn(process.execPath, [program, ...args], {
      env: { HOST: "127.0.0.1", PORT: String(port), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Service(port, child);
  }

  /** Resolves when the output matches; rejects with it when the program ends before. */
  async prints(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      if (this.#hasEnded) throw new Error(`ended without printing ${pattern}:\n${this.output}`);
      await Promise.race([once(this.#child.stdout!, "data"), once(this.#child.stderr!, "data"), this.#ended]);
    }
  }

  listening(): Promise<void> {
    return this.prints(/Server listening/);
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.#ended;
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }
}

/** Runs the program to its end. */
export async function runToEnd(options: ServiceOptions): Promise<Ended & { output: string }> {
  const service = await Service.start(options);
  const ended = await service.ended();
  return { ...ended, output: service.output };
}
