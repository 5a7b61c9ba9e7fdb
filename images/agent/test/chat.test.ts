// The agent as its callers see it: OpenAI's API, probes, the card and the memory.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, chat, eventsOf, type Running, startAgent, textOf } from "./support/agent.ts";
import { Model } from "./support/model.ts";
import { readAll, stream } from "./support/stream.ts";

let model: Model;
let agent: Running;
beforeAll(async () => {
  model = await Model.start(({ messages }) => ({ text: `you said: ${messages.at(-1)!.content}` }));
  agent = await startAgent(model, {
    AGENT_DESCRIPTION: "repeats",
    AGENT_INSTRUCTIONS: "Repeat what you hear.",
    MODEL_API_KEY: "sk-of-the-model",
    AGENT_MAX_BODY_BYTES: "100000",
    MEMORY_MAX_SESSION_EVENTS: "4",
  });
});
afterAll(() => model[Symbol.asyncDispose]());

describe("a chat completion", () => {
  it("is what the model says, with its tokens, under the agent's name", async () => {
    const reply = await chat(agent, "good morning");
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^chatcmpl-/),
      object: "chat.completion",
      created: expect.any(Number),
      model: "tested",
      choices: [{ index: 0, message: { role: "assistant", content: "you said: good morning" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    });
  });

  it("gives the model the agent's instructions, what the caller adds to them, and the caller's settings", async () => {
    const messages = [
      { role: "system", content: "In French." },
      { role: "user", content: "one" },
      { role: "assistant", content: "un" },
      { role: "task-delegation", content: [{ type: "text", text: "two" }] },
    ];
    await chat(agent, { messages, temperature: 0.5, user: "somebody" }, { traceparent: "00-abc-def-01" });
    expect(model.asked.at(-1)).toEqual({
      model: "scripted",
      messages: [
        { role: "system", content: "Repeat what you hear.\n\nIn French." },
        { role: "user", content: "one" },
        { role: "assistant", content: "un" },
        { role: "user", content: [{ type: "text", text: "two" }] },
      ],
      temperature: 0.5,
      stream: false,
    });
    expect(model.headers.at(-1)).toMatchObject({
      authorization: "Bearer sk-of-the-model",
      traceparent: "00-abc-def-01",
    });
  });

  it("streams what the model streams, piece by piece", async () => {
    const answer = await stream(agent, "good evening", { model: "any", stream_options: { include_usage: true } });
    expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const { texts, events } = await readAll(answer);
    expect(texts).toEqual(["you ", "said: ", "good ", "evening"]);
    expect(events[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
    expect(new Set(events.slice(0, -1).map(({ id, object, model }) => `${id} ${object} ${model}`)).size).toBe(1);
    expect(events.slice(-3)).toEqual([
      expect.objectContaining({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
      expect.objectContaining({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }),
      "[DONE]",
    ]);
  });
});

describe("a request that can't be answered", () => {
  const refusals: [string, string | object, number, string][] = [
    ["is not JSON", "{", 400, "invalid_request"],
    ["has no messages", { messages: [] }, 400, "invalid_request"],
    ["has nothing that a user says", { messages: [{ role: "assistant", content: "hm" }] }, 400, "invalid_request"],
    ["has a role that there isn't", { messages: [{ role: "king", content: "hm" }] }, 400, "invalid_request"],
    ["brings tools", { messages: [{ role: "user", content: "hm" }], tools: [{}] }, 400, "unsupported_parameter"],
    ["wants two answers", { messages: [{ role: "user", content: "hm" }], n: 2 }, 400, "invalid_request"],
    [
      "has a session id with a line break",
      { messages: [{ role: "user", content: "hm" }], session_id: "a\nb" },
      400,
      "invalid_request",
    ],
    ["is too large", { messages: [{ role: "user", content: "x".repeat(100_000) }] }, 413, "request_too_large"],
  ];
  it.each(refusals)("since it %s is told so as OpenAI does", async (_, request, status, code) => {
    const before = model.asked.length;
    const body = typeof request === "string" ? request : JSON.stringify(request);
    const reply = await ask(agent, "/v1/chat/completions", { method: "POST", body });
    expect(reply).toMatchObject({ status, body: { error: { type: "invalid_request_error", code } } });
    expect(reply.body.error.message).toMatch(/\w+/);
    expect(model.asked.length).toBe(before);
  });

  it("since its body never ends is cut off at the limit", async () => {
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) });
    const request = { method: "POST", body: endless, duplex: "half" } as RequestInit;
    expect(await ask(agent, "/v1/chat/completions", request)).toMatchObject({ status: 413 });
  });

  it("since there is no such path is told in JSON", async () => {
    expect(await ask(agent, "/v1/nothing")).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
    expect(await ask(agent, "/v1/chat/completions")).toMatchObject({ status: 405 });
  });
});

describe("beside it", () => {
  it("there are probes, a card and a list of models", async () => {
    expect(await ask(agent, "/health")).toMatchObject({ status: 200, body: { status: "healthy", name: "tested" } });
    expect(await ask(agent, "/ready")).toMatchObject({ status: 200, body: { status: "ready", name: "tested" } });
    expect((await ask(agent, "/.well-known/agent")).body).toEqual({
      name: "tested",
      description: "repeats",
      url: agent.url,
      skills: [],
      capabilities: ["message_processing", "task_execution"],
    });
    expect((await ask(agent, "/v1/models")).body.data).toMatchObject([{ id: "tested", object: "model" }]);
  });

  it("there is a memory of each session, with its last events", async () => {
    const first = await chat(agent, "remember me", { "x-session-id": "mine" });
    expect(first.headers.get("x-session-id")).toBe("mine");
    expect(await eventsOf(agent, "?session_id=mine")).toEqual([
      ["user_message", "remember me"],
      ["agent_response", "you said: remember me"],
    ]);
    await chat(agent, { session_id: "mine", messages: [{ role: "user", content: "two" }] });
    await chat(agent, "three", { "x-session-id": "mine" });
    expect((await eventsOf(agent, "?session_id=mine")).map(([, content]) => content)).toEqual([
      "two",
      "you said: two",
      "three",
      "you said: three",
    ]);
    expect((await eventsOf(agent, "?session_id=mine&limit=1")).length).toBe(1);
    const other = await chat(agent, "me too");
    const { body } = await ask(agent, "/memory/sessions");
    expect(body).toMatchObject({ agent: "tested", total: body.sessions.length });
    expect(body.sessions.slice(-2)).toEqual(["mine", other.headers.get("x-session-id")]);
    expect(await ask(agent, "/memory/events?limit=many")).toMatchObject({ status: 400 });
  });

  it("logs a JSON object a line, without what was said and without keys", async () => {
    await chat(agent, "a secret of the caller's", { authorization: "Bearer sk-of-the-caller" });
    const { stdout, stderr } = agent.container;
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { message: string; code?: string });
    expect(lines.findLast(({ message }) => message === "conversation")).toMatchObject({
      code: "ok",
      steps: 1,
      tokens: 15,
    });
    expect(stdout + stderr).not.toMatch(/secret of the caller|sk-of-the/);
  });
});

describe("without memory", () => {
  it("nothing is kept", async () => {
    const forgetful = await startAgent(model, { MEMORY_ENABLED: "false" });
    expect(textOf(await chat(forgetful, "hello"))).toBe("you said: hello");
    expect((await ask(forgetful, "/memory/sessions")).body).toEqual({ agent: "tested", sessions: [], total: 0 });
  });
});
