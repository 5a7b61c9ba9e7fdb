/** POST /v1/rerank, as Cohere's and Jina's: documents in the order of their relevance to a query. */
import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { commonFields, floats, type Inference, parseBody, text, usedTokens } from "./inference.ts";

/** Cohere's advice. */
const MOST_DOCUMENTS = 1000;

export function addRerank(app: FastifyInstance, inference: Inference): void {
  const document = z.union([text, z.object({ text }).transform(({ text }) => text)], {
    error: "must be a string that is not empty, or an object with such a text",
  });
  const body = z.object({
    ...commonFields,
    query: text,
    documents: z.array(document).min(1).max(inference.most(MOST_DOCUMENTS)),
    top_n: z.int().min(1).optional(),
    return_documents: z.boolean().default(false),
  });
  app.post("/v1/rerank", async (request, reply) => {
    const { query, documents, top_n, return_documents, model: asked, truncate } = parseBody(body, request.body);
    const model = inference.model(asked);
    const nameOf = (index: number): string => `documents.${index}`;
    // Unlike an embedding, a score of a document's beginning is what these APIs give.
    const question = { query, inputs: documents, truncate: truncate !== false, nameOf };
    const result = await inference.ask(model, question, reply);
    const scores = result.values.flatMap(floats);
    const results = scores
      .map((relevance_score, index) => ({ index, relevance_score }))
      .sort((one, other) => other.relevance_score - one.relevance_score || one.index - other.index)
      .slice(0, top_n)
      .map((each) => (return_documents ? { ...each, document: { text: documents[each.index] } } : each));
    return { model: inference.modelName, results, usage: { total_tokens: usedTokens(model, result) } };
  });
}
