// What goes wrong around an agent: its model, its callers, and its own end.

import { until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentImage, ask, chat, eventsOf, type Running, startAgent, textOf, PATIENCE_MS } from "./support/agent.ts";
import { Model, type Turn } from "./support/model.ts";
import { readAll, stream } from "./support/stream.ts";

const KEY = "sk-do-not-tell";
const overloaded: Turn = { status: 503, body: "overloaded" };
const limited: Turn = { status: 429, body: "slow down", headers: { "retry-after": "0" } };

const FAULTS: [string, Turn[], number, string][] = [
  ["answers 500 again and again", Array.from({ length: 3 }, () => ({ status: 500, body: "oh" })), 502, "model_error"],
  ["has a limit", [limited, limited, limited], 429, "model_rate_limited"],
  ["refuses the agent's key", [{ status: 401, body: `no such key: ${KEY}` }], 502, "model_refused_credentials"],
  ["does not exist", [{ status: 404, body: `no model for ${KEY}` }], 502, "model_error"],
  ["refuses the request", [{ status: 400, body: "context too long" }], 400, "model_refused_request"],
  ["answers what isn't JSON", [{ status: 200, body: "<html>" }], 502, "model_invalid_answer"],
  ["answers another JSON", [{ status: 200, body: '{"choices":[]}' }], 502, "model_invalid_answer"],
  ["is silent", [{ silent: true }], 504, "model_timeout"],
];

const streamed = { status: 200, headers: { "content-type": "text/event-stream" } };

let model: Model;
let agent: Running;
beforeAll(async () => {
  model = await Model.start({
    ...Object.fromEntries(FAULTS.map(([name, turns]) => [name, [...turns]])),
    ...Object.fromEntries(FAULTS.map(([name, turns]) => [`stream: ${name}`, [...turns]])),
    "get well": [overloaded, overloaded, { text: "well again" }],
    cut: [{ cutAfter: "Once upon" }],
    "fail in the stream": [
      { ...streamed, body: `data: {"error":{"message":"${KEY} is out of memory"}}\n\n` },
      { text: "well again" },
    ],
    "don't stream": [{ status: 200, body: '{"choices":[{"message":{"content":"all at once"}}]}' }],
  });
  agent = await startAgent(model, { MODEL_API_KEY: KEY, MODEL_TIMEOUT_SECONDS: "3", AGENT_LOG_LEVEL: "DEBUG" });
});
afterAll(() => model[Symbol.asyncDispose]());

describe("a model that", () => {
  it.each(FAULTS)("%s gives an error as OpenAI does, streaming or not", async (name, turns, status, code) => {
    const whole = await chat(agent, name, { "x-session-id": "fault" });
    expect(whole).toMatchObject({ status, body: { error: { code, message: expect.any(String) } } });
    expect(model.about(name).length).toBe(turns.length);
    expect((await eventsOf(agent, "?session_id=fault")).at(-1)).toEqual(["error", whole.body.error.message]);

    const request = { stream: true, messages: [{ role: "user", content: `stream: ${name}` }] };
    const streamed = await chat(agent, request);
    expect(streamed).toMatchObject({ status, body: { error: { code } } });
    expect(JSON.stringify([whole.body, streamed.body])).not.toContain(KEY);
  });

  it("recovers is asked again", async () => {
    expect(textOf(await chat(agent, "get well"))).toBe("well again");
    expect(model.about("get well").length).toBe(3);
  });

  it("drops the connection in the middle of a stream ends it with an error, and isn't asked again", async () => {
    const { texts, events } = await readAll(await stream(agent, "cut"));
    expect(texts).toEqual(["Once upon"]);
    expect(events.slice(-2)).toMatchObject([{ error: { code: "model_disconnected" } }, "[DONE]"]);
    expect(model.about("cut").length).toBe(1);
  });

  it("fails in a stream before it has said anything is asked again", async () => {
    expect((await readAll(await stream(agent, "fail in the stream"))).texts).toEqual(["well ", "again"]);
  });

  it("answers whole where a stream was asked for has its answer streamed", async () => {
    expect((await readAll(await stream(agent, "don't stream"))).texts).toEqual(["all at once"]);
  });

  it("is not there is told by its address, without the password in it", async () => {
    const lost = await startAgent({ url: "http://user:password@127.0.0.1:1/v1" }, { AGENT_LOG_LEVEL: "DEBUG" });
    const reply = await chat(lost, "hello");
    expect(reply.body.error).toMatchObject({
      code: "model_unreachable",
      message: "no model answers at http://127.0.0.1:1/v1/chat/completions",
    });
    expect(lost.container.stdout + lost.container.stderr).not.toContain("password");
    expect((await ask(lost, "/health")).status).toBe(200);
  });

  it("repeats the agent's key has it logged nowhere", () => {
    expect(agent.container.stdout + agent.container.stderr).not.toContain(KEY);
  });
});

describe("a caller that hangs up", () => {
  it("ends the model's work, streaming or not", async () => {
    const patient = await Model.start({ a: [{ silent: true }], b: [{ silent: true }] });
    const agent = await startAgent(patient);
    for (const [index, said] of ["a", "b"].entries()) {
      const hangUp = new AbortController();
      const body = JSON.stringify({ stream: said === "b", messages: [{ role: "user", content: said }] });
      const request = fetch(`${agent.url}/v1/chat/completions`, { method: "POST", body, signal: hangUp.signal });
      await until("the model is asked", async () => patient.about(said).length === 1);
      hangUp.abort();
      await expect(request).rejects.toThrow();
      await until("the model is left alone", async () => patient.hungUp === index + 1);
    }
    await patient[Symbol.asyncDispose]();
  });

  it("after the first words ends it too", async () => {
    const words = Array.from({ length: 200_000 }, () => "word").join(" ");
    const talker = await Model.start({ talk: [{ text: words }] });
    const agent = await startAgent(talker);
    const answer = await stream(agent, "talk");
    await answer.events.next();
    answer.hangUp();
    await until("the model is left alone", async () => talker.hungUp === 1);
    await agent.container.logged(/"code": "cancelled"/, PATIENCE_MS);
    await talker[Symbol.asyncDispose]();
  });
});

describe("SIGTERM", () => {
  it("lets requests in flight finish, streaming or not, and ends with 0", async () => {
    const slow = await Model.start({
      a: [{ silent: true, thenText: "at last" }],
      b: [{ silent: true, thenText: "at last" }],
    });
    const agent = await startAgent(slow);
    const whole = chat(agent, "a");
    const streamed = stream(agent, "b").then(readAll);
    await until("both are asked", async () => slow.asked.length === 2);
    const ended = agent.container.stop("SIGTERM", PATIENCE_MS);
    await agent.container.logged(/"message": "stopping"/, PATIENCE_MS);
    slow.release();
    expect(textOf(await whole)).toBe("at last");
    expect((await streamed).texts.join("")).toBe("at last");
    expect(await ended).toMatchObject({ exitCode: 0 });
    expect(agent.container.stdout).toMatch(/"message": "stopped"/);
    await slow[Symbol.asyncDispose]();
  });

  it("does not wait for ever", async () => {
    const silent = await Model.start({ a: [{ silent: true }] });
    const agent = await startAgent(silent, { SHUTDOWN_SECONDS: "1" });
    const whole = chat(agent, "a").catch(() => "dropped");
    await until("it is asked", async () => silent.asked.length === 1);
    expect(await agent.container.stop("SIGTERM", PATIENCE_MS)).toMatchObject({ exitCode: 0 });
    await whole;
    await silent[Symbol.asyncDispose]();
  });

  it("is heard while the program still starts", async () => {
    const container = await (
      await agentImage()
    ).run({
      entrypoint: "/venv/bin/python",
      args: ["-P", "-X", "importtime", "-m", "waybill_agent"],
      env: { AGENT_NAME: "a", MODEL_API_URL: "http://127.0.0.1:1", MODEL_NAME: "m" },
    });
    await container.logged(/pydantic/, PATIENCE_MS);
    expect(await container.stop("SIGTERM", PATIENCE_MS)).toMatchObject({ exitCode: 0 });
  });
});
