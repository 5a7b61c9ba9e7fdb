/** What the two routes that ask the model have in common: that it is there, is the one asked for, and takes the texts whole. */
import type { FastifyReply } from "fastify";
import * as z from "zod";
import type { Batcher, Result } from "../batcher.ts";
import type { ModelFacts } from "../worker/protocol.ts";
import type { Supervisor } from "../worker/supervisor.ts";
import { ApiError, invalid, unavailable } from "./api-error.ts";
import type { Metrics } from "./metrics.ts";

/** Half a surrogate pair, which JSON can bring, is no character: no tokenizer takes it. */
export const text = z
  .string({ error: "must be a string; token ids are not taken" })
  .min(1, "may not be empty")
  .transform((given) => given.toWellFormed());

/** Fields of both routes. Unknown ones are let pass: clients of other servers send them. */
export const commonFields = {
  model: z.string().optional(),
  truncate: z.boolean().optional(),
};

export interface Asked {
  readonly query?: string;
  readonly inputs: readonly string[];
  /** Whether texts that are too long are cut; else they are refused. */
  readonly truncate: boolean;
  /** Names the nth input, for errors. */
  readonly nameOf: (index: number) => string;
}

export class Inference {
  readonly #supervisor: Supervisor;
  readonly #batcher: Batcher;
  readonly #metrics: Metrics;
  readonly modelName: string;
  /** The most inputs of one request: those that the queue can hold at all. */
  readonly most: (limit: number) => number;

  constructor(
    supervisor: Supervisor,
    batcher: Batcher,
    metrics: Metrics,
    names: { modelName: string; queueTexts: number },
  ) {
    this.#supervisor = supervisor;
    this.#batcher = batcher;
    this.#metrics = metrics;
    this.modelName = names.modelName;
    this.most = (limit) => Math.min(limit, names.queueTexts);
  }

  /** The model, if it is there and is the one that the client names. */
  model(asked: string | undefined): ModelFacts {
    if (asked !== undefined && asked !== this.modelName) {
      const message = `there is no model ${JSON.stringify(asked)}: this server has ${JSON.stringify(this.modelName)}`;
      throw new ApiError(404, message, { param: "model", code: "model_not_found" });
    }
    const { model } = this.#supervisor;
    if (!model) throw unavailable("the model is not loaded yet");
    return model;
  }

  /** Answers when the worker has; gives up when the client has gone. */
  async ask(model: ModelFacts, { query, inputs, truncate, nameOf }: Asked, reply: FastifyReply): Promise<Result> {
    const gone = new AbortController();
    const onClose = (): void => gone.abort(new ApiError(499, "the client went away"));
    reply.raw.once("close", onClose);
    const result = await this.#batcher.add(query, inputs, gone.signal).finally(() => reply.raw.off("close", onClose));
    const tooLong = truncate ? -1 : result.tokens.findIndex((tokens) => tokens > model.maxTokens);
    if (tooLong >= 0) {
      const name = nameOf(tooLong);
      const message = `${name} has ${result.tokens[tooLong]} tokens, the model takes ${model.maxTokens}: shorten it, or set "truncate": true`;
      throw new ApiError(400, message, { param: name, code: "context_length_exceeded" });
    }
    const kind = query === undefined ? "embedding" : "reranking";
    this.#metrics.texts.inc({ kind }, inputs.length);
    this.#metrics.tokens.inc({ kind }, usedTokens(model, result));
    return result;
  }
}

/** Those that the model read. */
export const usedTokens = ({ maxTokens }: ModelFacts, { tokens }: Result): number =>
  tokens.reduce((sum, each) => sum + Math.min(each, maxTokens), 0);

/** @throws {ApiError} 400 */
export function parseBody<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error);
}

/** Little-endian float32, as the worker gives it, to numbers with no more digits than they have. */
export function floats(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += 4) numbers.push(Number(bytes.readFloatLE(at).toPrecision(9)));
  return numbers;
}
