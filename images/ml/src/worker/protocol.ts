/** What the front door and the worker say to each other; worker/ml_worker/answer.py is the other end. */
import * as z from "zod";

/** What the worker tells of its model once it is loaded. */
const ModelFacts = z.object({
  kind: z.enum(["embedding", "reranking"]),
  /** Of an embedding; 0 where the model gives scores only. */
  dimensions: z.int(),
  maxTokens: z.int(),
  sha256: z.string(),
  provider: z.string(),
  threads: z.int(),
});
export type ModelFacts = z.infer<typeof ModelFacts>;

/** A batch: texts to embed, or pairs of a query (by its index) and a document to score. */
export type Question =
  | { readonly texts: string[] }
  | { readonly queries: string[]; readonly pairs: [number, string][] };

export interface Answer {
  /** Little-endian float32: a vector a text, or a score a pair. */
  readonly values: Buffer;
  /** Of each text (of a pair: its document), before it was cut to what the model takes. */
  readonly tokens: number[];
}

export const FromWorker = z.union([
  z.object({ ready: ModelFacts }),
  z.object({ fault: z.string() }),
  z.object({ id: z.int(), tokens: z.array(z.int()) }),
  z.object({ id: z.int(), error: z.string() }),
]);
