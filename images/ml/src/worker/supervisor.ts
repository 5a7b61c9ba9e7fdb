/** Keeps a worker running: starts it, starts it again when it dies, later each time, and says so when that is no use. */
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { Answer, ModelFacts, Question } from "./protocol.ts";
import { Worker, WorkerGone, type WorkerOptions } from "./worker.ts";

/** How the worker is kept. Milliseconds. */
export interface Patience {
  /** Before the first restart; each later one waits twice as long. */
  readonly firstDelay: number;
  readonly longestDelay: number;
  /** Starts in a row, without one answer between them, after which it gives up. */
  readonly starts: number;
  /** How long loading the model may take. */
  readonly loading: number;
  /** How long one batch may take. */
  readonly batch: number;
}

export const PATIENCE = { firstDelay: 200, longestDelay: 10_000, starts: 7, loading: 600_000 };

/** An idle worker ends at once when its socket closes. Milliseconds. */
const END_LIMIT = 3_000;

interface Events {
  /** A worker has loaded the model. */
  up: [ModelFacts];
  /** It has ended, how that may be. */
  down: [string];
}

export class Supervisor extends EventEmitter<Events> {
  readonly #options: WorkerOptions;
  readonly #patience: Patience;
  readonly #stopper = new AbortController();
  #worker: Worker | undefined;
  #model: ModelFacts | undefined;
  #fruitless = 0;

  constructor(options: WorkerOptions, patience: Patience) {
    super();
    this.#options = options;
    this.#patience = patience;
  }

  /** What the model is; undefined while no worker can be asked. */
  get model(): ModelFacts | undefined {
    return this.#model;
  }

  /** Keeps a worker until `stop`. Rejects with a `Failure` when there is no use in going on. */
  async run(): Promise<void> {
    while (!this.#stopper.signal.aborted) {
      const how = await this.#oneWorker();
      if (this.#stopper.signal.aborted) return;
      this.emit("down", how);
      if (this.#fruitless >= this.#patience.starts) {
        throw new Failure(
          `the worker ended ${this.#fruitless} times in a row (${how}): giving up, the log has its words`,
        );
      }
      const delay = Math.min(this.#patience.firstDelay * 2 ** (this.#fruitless - 1), this.#patience.longestDelay);
      await sleep(delay, undefined, { signal: this.#stopper.signal }).catch(() => {});
    }
  }

  /** Asks the worker; one that is silent for too long is killed. Rejects with `WorkerGone` or `BatchFailed`. */
  async ask(question: Question): Promise<Answer> {
    const worker = this.#worker;
    if (!worker || !this.#model) throw new WorkerGone("no worker is ready");
    const timer = setTimeout(() => worker.kill(), this.#patience.batch);
    try {
      const answer = await worker.ask(question);
      this.#fruitless = 0;
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets the worker end, and starts no other. */
  async stop(): Promise<void> {
    this.#stopper.abort();
    this.#model = undefined;
    await this.#worker?.end(END_LIMIT);
  }

  /** From a start to its end; gives how it ended. */
  async #oneWorker(): Promise<string> {
    this.#fruitless++;
    const worker = new Worker(this.#options);
    this.#worker = worker;
    const timer = setTimeout(() => worker.kill(), this.#patience.loading);
    try {
      const model = await worker.ready;
      clearTimeout(timer);
      if (!this.#stopper.signal.aborted) this.emit("up", (this.#model = model));
    } catch (error) {
      if (!(error instanceof WorkerGone)) throw error;
    } finally {
      clearTimeout(timer);
    }
    const how = await worker.ended;
    this.#model = undefined;
    return how;
  }
}
