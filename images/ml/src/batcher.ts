/**
 * Puts the texts of many requests into batches for the worker, in the order they came. While one batch is worked on the next one
 * gathers, so batches are as large as the load makes them and nobody waits for company. What does not fit is refused, not kept.
 */
import type { Answer, Question } from "./worker/protocol.ts";
import { BatchFailed, type WorkerGone } from "./worker/worker.ts";

export interface Result {
  /** For each input its vector, or its score: little-endian float32. */
  readonly values: Buffer[];
  /** For each input its tokens before it was cut to what the model takes. */
  readonly tokens: number[];
}

/** More waits already than may wait. */
export class QueueFull extends Error {
  override name = "QueueFull";
  /** When there will be room, at the present pace. */
  readonly seconds: number;

  constructor(seconds: number) {
    super("too many texts are waiting");
    this.seconds = seconds;
  }
}

export interface BatcherOptions {
  readonly ask: (question: Question) => Promise<Answer>;
  readonly batchTexts: number;
  readonly queueTexts: number;
  /** The same in characters, for what memory can hold; one request alone always fits. */
  readonly queueCharacters: number;
  readonly onBatch?: (texts: number, seconds: number) => void;
}

/** A request's texts, or the documents of its query. */
interface Job {
  readonly query: string | undefined;
  readonly inputs: readonly string[];
  /** How many of the inputs have gone to the worker. */
  taken: number;
  readonly result: Result;
  readonly done: PromiseWithResolvers<Result>;
}

interface Slice {
  readonly job: Job;
  readonly inputs: readonly string[];
}

export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Job[] = [];
  #waiting = 0;
  #characters = 0;
  #busy = false;
  #secondsPerText = 0.01;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Texts that wait for the worker. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * @param query undefined: the inputs are embedded; else they are documents, scored against it
   * @param signal takes what still waits out of the queue: nobody is there to have it
   * @throws {QueueFull} at once; {WorkerGone}, {BatchFailed} later
   */
  add(query: string | undefined, inputs: readonly string[], signal?: AbortSignal): Promise<Result> {
    if (!this.#hasRoom(inputs)) throw new QueueFull(this.#waiting * this.#secondsPerText);
    const job: Job = {
      query,
      inputs,
      taken: 0,
      result: { values: [], tokens: [] },
      done: Promise.withResolvers<Result>(),
    };
    this.#queue.push(job);
    this.#count(inputs, 1);
    const leave = (): void => this.#fail([job], signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    void this.#pump();
    return job.done.promise.finally(() => signal?.removeEventListener("abort", leave));
  }

  /** The worker is gone: who waits had better come again. */
  failWaiting(error: WorkerGone): void {
    this.#fail([...this.#queue], error);
  }

  async #pump(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let slices = this.#take(); slices.length > 0; slices = this.#take()) await this.#work(slices);
    this.#busy = false;
  }

  async #work(slices: Slice[]): Promise<void> {
    const started = performance.now();
    try {
      const answer = await this.#options.ask(questionOf(slices));
      this.#measure(answer.tokens.length, (performance.now() - started) / 1000);
      share(slices, answer);
    } catch (error) {
      // The others need not suffer for the one that it was about.
      if (error instanceof BatchFailed && slices.length > 1) return this.#workAlone(slices);
      this.#fail(
        slices.map(({ job }) => job),
        error,
      );
    }
  }

  async #workAlone(slices: readonly Slice[]): Promise<void> {
    for (const slice of slices) await this.#work([slice]);
  }

  /** The next batch: of embeddings or of scores, as the first that waits wants it. */
  #take(): Slice[] {
    const slices: Slice[] = [];
    const scores = this.#queue[0]?.query !== undefined;
    let room = this.#options.batchTexts;
    while (room > 0) {
      const job = this.#queue[0];
      if (job === undefined || (job.query !== undefined) !== scores) break;
      const inputs = job.inputs.slice(job.taken, job.taken + room);
      slices.push({ job, inputs });
      job.taken += inputs.length;
      room -= inputs.length;
      this.#count(inputs, -1);
      if (job.taken === job.inputs.length) this.#queue.shift();
    }
    return slices;
  }

  #fail(jobs: readonly Job[], error: unknown): void {
    for (const job of new Set(jobs)) {
      if (this.#queue.includes(job)) {
        this.#queue = this.#queue.filter((each) => each !== job);
        this.#count(job.inputs.slice(job.taken), -1);
      }
      job.done.reject(error);
    }
  }

  #hasRoom(inputs: readonly string[]): boolean {
    const { queueTexts, queueCharacters } = this.#options;
    const characters = this.#characters + lengthOf(inputs);
    return this.#waiting + inputs.length <= queueTexts && (this.#waiting === 0 || characters <= queueCharacters);
  }

  #count(inputs: readonly string[], sign: 1 | -1): void {
    this.#waiting += sign * inputs.length;
    this.#characters += sign * lengthOf(inputs);
  }

  /** A moving mean, so that Retry-After follows the load. */
  #measure(texts: number, seconds: number): void {
    this.#secondsPerText = 0.8 * this.#secondsPerText + 0.2 * (seconds / texts);
    this.#options.onBatch?.(texts, seconds);
  }
}

const lengthOf = (inputs: readonly string[]): number => inputs.reduce((sum, { length }) => sum + length, 0);

function questionOf(slices: readonly Slice[]): Question {
  const queries = slices.flatMap(({ job }) => job.query ?? []);
  if (queries.length === 0) return { texts: slices.flatMap(({ inputs }) => inputs) };
  const pairs = slices.flatMap(({ inputs }, query) => inputs.map((input): [number, string] => [query, input]));
  return { queries, pairs };
}

/** Gives each job its part; those that have all are done. */
function share(slices: readonly Slice[], { values, tokens }: Answer): void {
  const bytes = values.length / tokens.length;
  let at = 0;
  for (const { job, inputs } of slices) {
    for (const end = at + inputs.length; at < end; at++) {
      job.result.values.push(values.subarray(at * bytes, (at + 1) * bytes));
      job.result.tokens.push(tokens[at] as number);
    }
    if (job.result.tokens.length === job.inputs.length) job.done.resolve(job.result);
  }
}
