/** What clients of OpenAI's, Cohere's and Jina's APIs see; the worker is scripted: a text's vector is [its words, its length]. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { type Service, startService } from "./support/service.ts";
import { untilUp } from "./support/supervised.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const json = async (response: Response): Promise<unknown> => response.json();

async function metric(service: Service, name: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}

describe("POST /v1/embeddings", () => {
  it("embeds one text", async () => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", { input: "two words", model: "tiny", user: "me" });
    expect(response.status).toBe(200);
    expect(await json(response)).toEqual({
      object: "list",
      data: [{ object: "embedding", index: 0, embedding: [2, 9] }],
      model: "tiny",
      usage: { prompt_tokens: 2, total_tokens: 2 },
    });
  });

  it("embeds many, in their order, in as many batches as it takes", async () => {
    const { post } = await startService();
    const input = Array.from({ length: 11 }, (_, index) => "x".repeat(index + 1));
    const { data } = (await json(await post("/v1/embeddings", { input }))) as { data: object[] };
    expect(data).toEqual(input.map((text, index) => ({ object: "embedding", index, embedding: [1, text.length] })));
  });

  it("takes half a surrogate pair for an unknown character", async () => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", '{"input": "a\\ud800 b"}');
    expect(await json(response)).toMatchObject({ data: [{ embedding: [2, 4] }] });
  });

  it("gives base64 of little-endian float32, as OpenAI's own clients ask for it", async () => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", { input: "two words", encoding_format: "base64" });
    const { data } = (await json(response)) as { data: { embedding: string }[] };
    const bytes = Buffer.from(data[0]!.embedding, "base64");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4)]).toEqual([2, 9]);
  });

  it.each([
    ["no input", {}, "input", /string or an array/],
    ["an empty string", { input: "" }, "input.0", /may not be empty/],
    ["no strings", { input: [] }, "input", /must have a string/],
    ["too many strings", { input: Array.from({ length: 65 }, () => "x") }, "input", /may have 64 strings/],
    ["an empty one among them", { input: ["a", ""] }, "input.1", /may not be empty/],
    ["token ids", { input: [1, 2] }, "input.0", /token ids are not taken/],
    ["a number", { input: 7 }, "input", /string or an array/],
    ["another format", { input: "a", encoding_format: "hex" }, "encoding_format", /float/],
    ["other dimensions", { input: "a", dimensions: 3 }, "dimensions", /has 2/],
    ["a text that is too long", { input: "a b c d e f g h i" }, "input.0", /9 tokens, the model takes 8/],
    ["one that is too long", { input: ["a", "a b c d e f g h i"] }, "input.1", /9 tokens, the model takes 8/],
  ])("refuses %s", async (_what, body, param, message) => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", body);
    expect(response.status).toBe(400);
    expect(await json(response)).toEqual({
      error: {
        message: expect.stringMatching(message),
        type: "invalid_request_error",
        param,
        code: /too long/.test(_what) ? "context_length_exceeded" : null,
      },
    });
  });

  it("cuts a text that is too long where it is asked to, and counts what was read", async () => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", { input: "a b c d e f g h i", truncate: true });
    expect(response.status).toBe(200);
    expect(await json(response)).toMatchObject({ usage: { total_tokens: 8 } });
  });

  it.each([
    ["broken JSON", "{", "application/json", 400],
    ["another media type", "input=a", "application/x-www-form-urlencoded", 415],
    ["a body over the limit", JSON.stringify({ input: "x".repeat(5000) }), "application/json", 413],
  ])("refuses %s", async (_what, body, type, status) => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", body, { "content-type": type });
    expect(response.status).toBe(status);
    expect(await json(response)).toMatchObject({ error: { type: "invalid_request_error", param: null } });
  });

  it("knows no other model", async () => {
    const { post, url } = await startService();
    const response = await post("/v1/embeddings", { input: "a", model: "text-embedding-3-small" });
    expect(response.status).toBe(404);
    expect(await json(response)).toMatchObject({ error: { param: "model", code: "model_not_found" } });
    expect(await json(await fetch(`${url}/v1/models`))).toMatchObject({
      object: "list",
      data: [{ id: "tiny", object: "model", kind: "embedding", dimensions: 2, max_tokens: 8 }],
    });
    expect((await fetch(`${url}/v1/models/other`)).status).toBe(404);
  });

  it("is not what a re-ranker does", async () => {
    const { post } = await startService({ env: { KIND: "reranking" } });
    const response = await post("/v1/embeddings", { input: "a" });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { message: expect.stringContaining("/v1/rerank") } });
  });

  it("answers 500 for a batch that failed, and keeps the reason for the log", async () => {
    const { post } = await startService();
    const response = await post("/v1/embeddings", { input: "fail" });
    expect(response.status).toBe(500);
    expect(await json(response)).toMatchObject({ error: { type: "server_error", message: "the log has the cause" } });
  });
});

describe("POST /v1/rerank", () => {
  const documents = ["wind", "wine list", { text: "wine" }, "oak"];

  it("sorts documents by relevance, equals by their place", async () => {
    const { post } = await startService();
    const response = await post("/v1/rerank", { query: "wine", documents });
    expect(response.status).toBe(200);
    expect(await json(response)).toEqual({
      model: "tiny",
      results: [
        { index: 1, relevance_score: 4 },
        { index: 2, relevance_score: 4 },
        { index: 0, relevance_score: 3 },
        { index: 3, relevance_score: 0 },
      ],
      usage: { total_tokens: 5 },
    });
  });

  it("gives the best n, with their texts where asked", async () => {
    const { post } = await startService({ env: { KIND: "reranking" } });
    const body = { query: "wine", documents, top_n: 2, return_documents: true };
    expect(await json(await post("/v1/rerank", body))).toMatchObject({
      results: [
        { index: 1, document: { text: "wine list" } },
        { index: 2, document: { text: "wine" } },
      ],
    });
  });

  it.each([
    ["no query", { documents }, "query"],
    ["no documents", { query: "a", documents: [] }, "documents"],
    ["an empty document", { query: "a", documents: ["b", ""] }, "documents.1"],
    ["an object without text", { query: "a", documents: [{ title: "b" }] }, "documents.0"],
    ["none of the best", { query: "a", documents, top_n: 0 }, "top_n"],
    [
      "a long document that may not be cut",
      { query: "a", documents: ["a b c d e f g h i"], truncate: false },
      "documents.0",
    ],
  ])("refuses %s", async (_what, body, param) => {
    const { post } = await startService();
    const response = await post("/v1/rerank", body);
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { type: "invalid_request_error", param } });
  });
});

describe("back-pressure", () => {
  it("answers 429 with a time to come again when the queue is full, and everyone else what they asked", async () => {
    const service = await startService({ config: { queueTexts: 2, batchTexts: 2 } });
    const file = join(await temporaryFolder(), "go");
    const first = service.post("/v1/embeddings", { input: [`hold ${file}`, "b"] });
    await vi.waitFor(async () => expect(await metric(service, "http_requests_in_flight")).toBe(2)); // it, and /metrics
    const second = service.post("/v1/embeddings", { input: ["c", "d"] });
    await vi.waitFor(async () => expect(await metric(service, "ml_queue_texts")).toBe(2));
    const third = await service.post("/v1/embeddings", { input: "e" });
    expect(third.status).toBe(429);
    expect(Number(third.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(await json(third)).toMatchObject({ error: { type: "rate_limit_error", code: "queue_full" } });
    await writeFile(file, "");
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect((await service.post("/v1/embeddings", { input: "e" })).status).toBe(200);
  });

  it("forgets who went away", async () => {
    const service = await startService();
    const file = join(await temporaryFolder(), "go");
    const first = service.post("/v1/embeddings", { input: `hold ${file}` });
    const client = new AbortController();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ input: ["b", "c"] });
    const second = fetch(`${service.url}/v1/embeddings`, { method: "POST", headers, body, signal: client.signal });
    const outcome = second.catch((error: Error) => error.name);
    await vi.waitFor(async () => expect(await metric(service, "ml_queue_texts")).toBe(2));
    client.abort();
    expect(await outcome).toBe("AbortError");
    await vi.waitFor(async () => expect(await metric(service, "ml_queue_texts")).toBe(0));
    await writeFile(file, "");
    expect((await first).status).toBe(200);
    expect(await metric(service, 'ml_texts_total{kind="embedding"}')).toBe(1);
  });
});

describe("a worker that dies", () => {
  it("costs its batch and those who wait a 503; then all is as before", async () => {
    const service = await startService({ patience: { firstDelay: 1, longestDelay: 1 } });
    const { url, post, supervisor } = service;
    const down = once(supervisor, "down");
    const responses = await Promise.all(["die", "b", "c"].map((input) => post("/v1/embeddings", { input })));
    await down;
    expect(responses[0]?.status).toBe(503);
    expect(responses[0]?.headers.get("retry-after")).toBe("2");
    expect(await json(responses[0]!)).toMatchObject({ error: { type: "server_error", code: "not_ready" } });
    await untilUp(supervisor);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await post("/v1/embeddings", { input: "b" })).status).toBe(200);
    expect(await metric(service, "ml_worker_restarts_total")).toBe(1);
  });
});

describe("probes", () => {
  it("are healthy without a worker, and not ready", async () => {
    const patience = { firstDelay: 600_000, longestDelay: 600_000 };
    const { url, post } = await startService({ env: { BEHAVIOUR: "die" }, patience });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    for (const response of [await fetch(`${url}/readyz`), await post("/v1/embeddings", { input: "a" })]) {
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("2");
    }
    expect((await fetch(`${url}/v1/models`)).status).toBe(503);
  });

  it("tell of nothing else", async () => {
    const { url } = await startService();
    const response = await fetch(`${url}/nothing?a=b`);
    expect(response.status).toBe(404);
    expect(await json(response)).toMatchObject({ error: { message: "there is no GET /nothing", code: "unknown_url" } });
  });
});

describe("a stop", () => {
  it("answers what is in flight, and takes no more", async () => {
    const { app, post } = await startService();
    const file = join(await temporaryFolder(), "go");
    const held = post("/v1/embeddings", { input: `hold ${file}` });
    await vi.waitFor(async () => expect((await app.inject("/metrics")).body).toMatch(/^http_requests_in_flight 2$/m)); // it, and /metrics
    const closed = app.close();
    await vi.waitFor(() => expect(app.server.listening).toBe(false));
    await writeFile(file, "");
    const response = await held;
    expect(response.status).toBe(200);
    expect(response.headers.get("connection")).toBe("close");
    await closed;
  });
});
