/** GET /v1/models, as OpenAI's: the one model that is loaded, and what to pin it by. */
import type { FastifyInstance } from "fastify";
import type { Inference } from "./inference.ts";

export function addModels(app: FastifyInstance, inference: Inference): void {
  const describe = (asked?: string): object => {
    const { kind, dimensions, maxTokens, sha256, provider } = inference.model(asked);
    const facts = { kind, max_tokens: maxTokens, sha256, provider, ...(dimensions > 0 && { dimensions }) };
    // `created` is asked for by OpenAI's clients; files have no age worth telling.
    return { id: inference.modelName, object: "model", created: 0, owned_by: "waybill", ...facts };
  };
  app.get("/v1/models", async () => ({ object: "list", data: [describe()] }));
  app.get<{ Params: { model: string } }>("/v1/models/:model", async ({ params }) => describe(params.model));
}
