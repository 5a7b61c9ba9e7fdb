// The agentic loop with tools of real MCP servers: the same image in its other mode.

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, chat, eventsOf, type Running, startAgent, startMcpServer, textOf } from "./support/agent.ts";
import { Model, type Turn } from "./support/model.ts";
import { OfficialServer } from "./support/official-server.ts";
import { readAll, stream } from "./support/stream.ts";

const CALCULATOR = `
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b

def divide(a: int, b: int) -> float:
    """Divides."""
    if b == 0:
        raise ValueError("by zero")
    return a / b
`;

const GREETER = `
import os, time

def add(name: str) -> str:
    """Adds a guest."""
    return f"{name} is a guest"

def sleep() -> str:
    time.sleep(60)
    return "rested"

def die() -> None:
    os._exit(1)
`;

const call = (name: string, given: object | string = {}) => ({ name, arguments: given });
const add = call("add", { a: 19, b: 23 });
const done: Turn = { text: "done" };

const MISTAKES: [string, ReturnType<typeof call>, RegExp][] = [
  ["are not JSON", call("add", '{"a": 1'), /^Error: the arguments are not JSON/],
  ["are no object", call("add", "[1]"), /^Error: the arguments are not a JSON object/],
  ["are of the wrong type", call("add", { a: "x", b: 1 }), /^Error: .*valid integer/s],
  ["are for a tool there isn't", call("fly"), /^Error: there is no tool "fly"; there are: add, /],
  ["make the tool fail", call("divide", { a: 1, b: 0 }), /^Error: Error executing tool divide/],
  ["make the tool hang", call("sleep"), /^Error: sleep did not finish in 2 s$/],
];

let model: Model;
let agent: Running;
let greeter: Running;
beforeAll(async () => {
  let calculator: Running;
  [calculator, greeter] = await Promise.all([startMcpServer(CALCULATOR), startMcpServer(GREETER)]);
  model = await Model.start({
    "what is 19 and 23?": [{ text: "Let me see.", calls: [add] }, { text: "It is 42." }],
    "stream it": [{ text: "Let me see.", calls: [add] }, { text: "It is 42." }],
    "all of it": [{ calls: [add, call("the-greeter_add", { name: "Ada" }), call("divide", { a: 1, b: 2 })] }, done],
    "for ever": Array.from({ length: 10 }, () => ({ calls: [add] })),
    ...Object.fromEntries(MISTAKES.map(([name, mistake]) => [name, [{ calls: [mistake] }, done]])),
    die: [{ calls: [call("die")] }, { calls: [call("the-greeter_add", { name: "Ada" })] }, done],
    "are you there?": [done],
    "and now?": [{ calls: [call("the-greeter_add", { name: "Ada" })] }, done],
  });
  agent = await startAgent(model, {
    MCP_SERVERS: "[calculator, the-greeter]",
    MCP_SERVER_CALCULATOR_URL: calculator.url,
    "MCP_SERVER_the-greeter_URL": `${greeter.url}/mcp`,
    AGENTIC_LOOP_MAX_STEPS: "4",
    TOOL_TIMEOUT_SECONDS: "2",
  });
});
afterAll(() => model[Symbol.asyncDispose]());

/** What the model was told in the last question of a conversation. */
const told = (said: string): string | null | undefined => model.about(said).at(-1)?.messages.at(-1)?.content;

describe("a tool", () => {
  it("is offered under a name of its own, called, and what came of it is told to the model", async () => {
    const said = "what is 19 and 23?";
    const reply = await chat(agent, said, { "x-session-id": "sum" });
    expect(textOf(reply)).toBe("It is 42.");
    expect(reply.body.usage.total_tokens).toBe(30);
    const [first, second] = model.about(said);
    const offered = first!.tools!.map(({ function: tool }) => tool.name);
    expect(offered).toEqual(["add", "divide", "the-greeter_add", "sleep", "die"]);
    expect(first!.tools![0]!.function).toMatchObject({
      description: "Adds two numbers.",
      parameters: { type: "object", properties: { a: { type: "integer" } }, required: ["a", "b"] },
    });
    expect(second!.messages.slice(-2)).toEqual([
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [{ id: "call_0", type: "function", function: { name: "add", arguments: '{"a":19,"b":23}' } }],
      },
      { role: "tool", tool_call_id: "call_0", content: "42" },
    ]);
    expect(await eventsOf(agent, "?session_id=sum")).toEqual([
      ["user_message", said],
      ["tool_call", { tool: "add", arguments: { a: 19, b: 23 } }],
      ["tool_result", { tool: "add", result: "42" }],
      ["agent_response", "It is 42."],
    ]);
  });

  it("is called in a stream too, whose text before the call is a paragraph of its own", async () => {
    const { texts, events } = await readAll(await stream(agent, "stream it"));
    expect(texts.join("")).toBe("Let me see.\n\nIt is 42.");
    expect(events.at(-1)).toBe("[DONE]");
    expect(told("stream it")).toBe("42");
  });

  it("can be called several times in one step, and results keep their places", async () => {
    await chat(agent, "all of it");
    const results = model.about("all of it")[1]!.messages.slice(-3);
    expect(results.map(({ content }) => content)).toEqual(["42", "Ada is a guest", "0.5"]);
  });

  it.each(MISTAKES)(
    "tells the model when its arguments %s, and the conversation goes on",
    async (name, _, expected) => {
      expect(textOf(await chat(agent, name, { "x-session-id": "mistake" }))).toBe("done");
      expect(told(name)).toMatch(expected);
      expect((await eventsOf(agent, "?session_id=mistake")).at(-2)![0]).toBe("tool_error");
    },
  );

  it("is a skill on the agent's card", async () => {
    const { body } = await ask(agent, "/.well-known/agent");
    expect(body.capabilities).toContain("tool_execution");
    expect(body.skills.map((skill: { name: string }) => skill.name)).toEqual(["add", "divide", "add", "sleep", "die"]);
    expect(body.skills[0]).toMatchObject({ description: "Adds two numbers.", inputSchema: { type: "object" } });
  });
});

describe("the loop", () => {
  it("ends after AGENTIC_LOOP_MAX_STEPS questions, and does not do what was called for last", async () => {
    const reply = await chat(agent, "for ever", { "x-session-id": "ever" });
    expect(textOf(reply)).toBe("Reached maximum reasoning steps (4)");
    expect(reply.body.choices[0].finish_reason).toBe("length");
    expect(model.about("for ever").length).toBe(4);
    expect((await eventsOf(agent, "?session_id=ever")).filter(([type]) => type === "tool_call").length).toBe(3);
  });
});

describe("an MCP server", () => {
  it("of another make, with sessions, has one for each conversation, and closed after it", async () => {
    await using official = await OfficialServer.start();
    const calls: Turn[] = [{ calls: [call("count")] }, { calls: [call("count")] }, done];
    await using model = await Model.start({ first: [...calls], second: [...calls] });
    const agent = await startAgent(model, { MCP_SERVERS: "official", MCP_SERVER_OFFICIAL_URL: official.url });
    for (const said of ["first", "second"]) {
      expect(textOf(await chat(agent, said))).toBe("done");
      const results = model.about(said).map(({ messages }) => messages.at(-1)!.content);
      expect(results.slice(1)).toEqual(["counted to 1", "counted to 2"]);
    }
    expect([official.opened, official.closed]).toEqual([2, 2]);
    await agent.container.stop();
  });

  it("that says nothing holds up neither the card nor the conversation for ever", async () => {
    await using silent = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    await using model = await Model.start({ hello: [done] });
    const { port } = silent.address() as AddressInfo;
    const agent = await startAgent(model, { MCP_SERVERS: "mute", MCP_SERVER_MUTE_URL: `http://127.0.0.1:${port}` });
    expect((await ask(agent, "/.well-known/agent")).body).toMatchObject({ name: "tested", skills: [] });
    expect(textOf(await chat(agent, "hello"))).toBe("done");
    expect(model.asked[0]!.messages[0]!.content).toMatch(/Not available at the moment: the tools of mute\.$/);
    await agent.container.stop();
  });

  it("that dies in a call fails that call only; while it is away its tools are, and then they are back", async () => {
    expect(textOf(await chat(agent, "die"))).toBe("done");
    const failures = model
      .about("die")
      .slice(1)
      .map(({ messages }) => messages.at(-1)!.content);
    expect(failures).toEqual([
      expect.stringMatching(/^Error: die: /),
      "Error: MCP server the-greeter went away during add",
    ]);

    expect(textOf(await chat(agent, "are you there?"))).toBe("done");
    const [asked] = model.about("are you there?");
    expect(asked!.tools!.map(({ function: tool }) => tool.name)).toEqual(["add", "divide"]);
    expect(asked!.messages[0]!.content).toMatch(/Not available at the moment: the tools of the-greeter\.$/);

    await startMcpServer(GREETER, greeter.port);
    expect(textOf(await chat(agent, "and now?"))).toBe("done");
    expect(told("and now?")).toBe("Ada is a guest");
  });
});
