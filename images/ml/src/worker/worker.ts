/** One worker process, from its start to its end. It is asked one thing at a time, over a socket that is its file descriptor 3. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { Failure } from "../failure.ts";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import { type Answer, FromWorker, type ModelFacts, type Question } from "./protocol.ts";

/** The worker went away, or was sent away, before it had answered. */
export class WorkerGone extends Error {
  override name = "WorkerGone";
}

/** A batch failed, and the worker goes on. */
export class BatchFailed extends Error {
  override name = "BatchFailed";
}

export interface WorkerOptions {
  /** The program and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets each line that the worker prints. */
  readonly onLine: (line: string) => void;
}

export class Worker {
  /** Rejects with a `Failure` (exit code 2) where another start would not help, with `WorkerGone` where it may. */
  readonly ready: Promise<ModelFacts>;
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #ready = Promise.withResolvers<ModelFacts>();
  #asked: { id: number; answer: PromiseWithResolvers<Answer> } | undefined;
  #lastId = 0;
  #over = false;

  constructor({ command, env, onLine }: WorkerOptions) {
    const [program = "", ...args] = command;
    this.#child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe", "pipe"] });
    this.pid = this.#child.pid;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever waits is told; nobody has to
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on("line", onLine);
    }
    this.#socket = this.#child.stdio[3] as Socket;
    const reader = new FrameReader();
    this.#socket.on("data", (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) this.#heard(frame);
    });
    this.#socket.on("error", () => {}); // its end is told by `ended`
    this.ended = this.#untilEnded();
  }

  /** Asks the worker, which must be ready and not be busy. */
  ask(question: Question): Promise<Answer> {
    if (this.#asked) throw new Error("the worker is asked one thing at a time");
    if (this.#over) return Promise.reject(new WorkerGone("the worker has ended"));
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<Answer>();
    this.#asked = { id, answer };
    this.#socket.write(encodeFrame({ id, ...question }));
    return answer.promise;
  }

  /** Hangs up, upon which an idle worker ends; after `limit` milliseconds it is killed. */
  async end(limit: number): Promise<void> {
    this.#socket.end();
    const timer = setTimeout(() => this.kill(), limit);
    await this.ended;
    clearTimeout(timer);
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #untilEnded(): Promise<string> {
    let how: string;
    try {
      const [code, signal] = (await once(this.#child, "close")) as [number | null, string | null];
      how = signal === null ? `exit code ${code}` : signal;
    } catch (error) {
      how = (error as Error).message; // it could not be started
    }
    this.#over = true;
    this.#socket.destroy();
    const gone = new WorkerGone(`the worker ended: ${how}`);
    this.#ready.reject(gone);
    this.#asked?.answer.reject(gone);
    this.#asked = undefined;
    return how;
  }

  #heard({ message, payload }: Frame): void {
    const said = FromWorker.parse(message);
    if ("ready" in said) return this.#ready.resolve(said.ready);
    if ("fault" in said) return this.#ready.reject(new Failure(said.fault, 2));
    const asked = this.#asked;
    if (asked?.id !== said.id) return;
    this.#asked = undefined;
    if ("error" in said) asked.answer.reject(new BatchFailed(said.error));
    else asked.answer.resolve({ values: payload, tokens: said.tokens });
  }
}
