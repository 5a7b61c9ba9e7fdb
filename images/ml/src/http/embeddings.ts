/** POST /v1/embeddings, as OpenAI's. */
import type { FastifyInstance } from "fastify";
import * as z from "zod";
import { ApiError } from "./api-error.ts";
import { commonFields, floats, type Inference, parseBody, text, usedTokens } from "./inference.ts";

/** OpenAI's limit. */
const MOST_INPUTS = 2048;

export function addEmbeddings(app: FastifyInstance, inference: Inference): void {
  const most = inference.most(MOST_INPUTS);
  const body = z.object({
    ...commonFields,
    input: z.preprocess(
      (given) => (typeof given === "string" ? [given] : given),
      z
        .array(text, { error: "must be a string or an array of strings" })
        .min(1, "must have a string")
        .max(most, `may have ${most} strings`),
    ),
    encoding_format: z.enum(["float", "base64"]).default("float"),
    dimensions: z.int().optional(),
  });
  app.post("/v1/embeddings", async (request, reply) => {
    const { input, truncate, model: asked, dimensions, encoding_format } = parseBody(body, request.body);
    const model = inference.model(asked);
    if (model.kind !== "embedding")
      throw new ApiError(400, "this model re-ranks and has no embeddings: use /v1/rerank");
    if (dimensions !== undefined && dimensions !== model.dimensions) {
      throw new ApiError(400, `dimensions: this model has ${model.dimensions}`, { param: "dimensions" });
    }
    const nameOf = (index: number): string => `input.${index}`;
    const result = await inference.ask(model, { inputs: input, truncate: truncate === true, nameOf }, reply);
    const encode = encoding_format === "base64" ? (bytes: Buffer) => bytes.toString("base64") : floats;
    const tokens = usedTokens(model, result);
    return {
      object: "list",
      data: result.values.map((vector, index) => ({ object: "embedding", index, embedding: encode(vector) })),
      model: inference.modelName,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  });
}
