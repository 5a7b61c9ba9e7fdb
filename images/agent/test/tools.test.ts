// The agentic loop with tools of real MCP servers: the same image in its other mode.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, chat, eventsOf, type Running, startAgent, startMcpServer, textOf } from "./support/agent.ts";
import { Model, type Turn } from "./support/model.ts";
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
import time

def add(name: str) -> str:
    """Adds a guest."""
    return f"{name} is a guest"

def sleep() -> str:
    time.sleep(60)
    return "rested"
`;

const add = { name: "add", arguments: { a: 19, b: 23 } };
const done: Turn = { text: "done" };

let calculator: Running;
let greeter: Running;
beforeAll(async () => {
  [calculator, greeter] = await Promise.all([startMcpServer(CALCULATOR), startMcpServer(GREETER)]);
});

/** An agent with both servers, whose model does this. */
async function withTools(script: Turn[], env: Record<string, string> = {}): Promise<{ model: Model; agent: Running }> {
  const model = await Model.start(script);
  models.push(model);
  const urls = { MCP_SERVER_CALCULATOR_URL: calculator.url, "MCP_SERVER_the-greeter_URL": greeter.url };
  const agent = await startAgent(model, { MCP_SERVERS: "[calculator, the-greeter]", ...urls, ...env });
  return { model, agent };
}

const models: Model[] = [];
afterAll(async () => void (await Promise.all(models.map((model) => model[Symbol.asyncDispose]()))));

describe("a tool", () => {
  it("is offered under a name of its own, called, and what came of it is told to the model", async () => {
    const { model, agent } = await withTools([{ text: "Let me see.", calls: [add] }, { text: "It is 42." }]);
    const reply = await chat(agent, "what is 19 and 23?");
    expect(textOf(reply)).toBe("It is 42.");
    expect(reply.body.usage.total_tokens).toBe(30);
    const offered = model.asked[0]!.tools!.map(({ function: tool }) => tool.name);
    expect(offered).toEqual(["add", "divide", "the-greeter_add", "sleep"]);
    expect(model.asked[0]!.tools![0]!.function).toMatchObject({
      description: "Adds two numbers.",
      parameters: {
        type: "object",
        properties: { a: { type: "integer" }, b: { type: "integer" } },
        required: ["a", "b"],
      },
    });
    expect(model.asked[1]!.messages.slice(-2)).toEqual([
      {
        role: "assistant",
        content: "Let me see.",
        tool_calls: [{ id: "call_0", type: "function", function: { name: "add", arguments: '{"a":19,"b":23}' } }],
      },
      { role: "tool", tool_call_id: "call_0", content: "42" },
    ]);
    expect(await eventsOf(agent)).toEqual([
      ["user_message", "what is 19 and 23?"],
      ["tool_call", { tool: "add", arguments: { a: 19, b: 23 } }],
      ["tool_result", { tool: "add", result: "42" }],
      ["agent_response", "It is 42."],
    ]);
  });

  it("is called in a stream too, whose text before the call is a paragraph of its own", async () => {
    const { model, agent } = await withTools([{ text: "Let me see.", calls: [add] }, { text: "It is 42." }]);
    const { texts, events } = await readAll(await stream(agent, "add"));
    expect(texts.join("")).toBe("Let me see.\n\nIt is 42.");
    expect(events.at(-1)).toBe("[DONE]");
    expect(model.last.at(-1)).toBe("42");
  });

  it("can be called several times in one step, and results keep their places", async () => {
    const calls = [
      add,
      { name: "the-greeter_add", arguments: { name: "Ada" } },
      { name: "divide", arguments: { a: 1, b: 2 } },
    ];
    const { model, agent } = await withTools([{ calls }, done]);
    await chat(agent, "all of it");
    expect(model.asked[1]!.messages.slice(-3).map(({ content }) => content)).toEqual(["42", "Ada is a guest", "0.5"]);
  });

  const mistakes: [string, Turn, RegExp][] = [
    ["are not JSON", { calls: [{ name: "add", arguments: '{"a": 1' }] }, /^Error: the arguments are not JSON/],
    ["are no object", { calls: [{ name: "add", arguments: "[1]" }] }, /^Error: the arguments are not a JSON object/],
    ["are of the wrong type", { calls: [{ name: "add", arguments: { a: "x", b: 1 } }] }, /^Error: .*valid integer/s],
    [
      "are for a tool there isn't",
      { calls: [{ name: "fly", arguments: {} }] },
      /^Error: there is no tool "fly"; there are: add, /,
    ],
    [
      "make the tool fail",
      { calls: [{ name: "divide", arguments: { a: 1, b: 0 } }] },
      /^Error: Error executing tool divide/,
    ],
  ];
  it.each(mistakes)("tells the model when its arguments %s, and the conversation goes on", async (_, turn, said) => {
    const { model, agent } = await withTools([turn, done]);
    expect(textOf(await chat(agent, "go"))).toBe("done");
    expect(model.last.at(-1)).toMatch(said);
    expect((await eventsOf(agent)).map(([type]) => type)).toContain("tool_error");
  });

  it("that takes too long is given up", async () => {
    const { model, agent } = await withTools([{ calls: [{ name: "sleep", arguments: {} }] }, done], {
      TOOL_TIMEOUT_SECONDS: "1",
    });
    expect(textOf(await chat(agent, "rest"))).toBe("done");
    expect(model.last.at(-1)).toBe("Error: sleep did not finish in 1 s");
  });

  it("is a skill on the agent's card", async () => {
    const { agent } = await withTools([]);
    const { body } = await ask(agent, "/.well-known/agent");
    expect(body.capabilities).toContain("tool_execution");
    expect(body.skills.map((skill: { name: string }) => skill.name)).toEqual(["add", "divide", "add", "sleep"]);
    expect(body.skills[0]).toMatchObject({ description: "Adds two numbers.", inputSchema: { type: "object" } });
  });
});

describe("the loop", () => {
  it("ends after AGENTIC_LOOP_MAX_STEPS questions, and does not do what was called for last", async () => {
    const { model, agent } = await withTools([{ calls: [add] }, { calls: [add] }, { calls: [add] }], {
      AGENTIC_LOOP_MAX_STEPS: "2",
    });
    const reply = await chat(agent, "for ever");
    expect(textOf(reply)).toBe("Reached maximum reasoning steps (2)");
    expect(reply.body.choices[0].finish_reason).toBe("length");
    expect(model.asked.length).toBe(2);
    expect((await eventsOf(agent)).filter(([type]) => type === "tool_call").length).toBe(1);
  });
});

describe("an MCP server", () => {
  it("that is away is told to the model as not available, and used once it is there", async () => {
    const later = await startMcpServer(CALCULATOR);
    await later.container.stop();
    const model = await Model.start([done, { calls: [add] }, done]);
    models.push(model);
    const agent = await startAgent(model, { MCP_SERVERS: "late", MCP_SERVER_LATE_URL: `${later.url}/mcp` });

    expect(textOf(await chat(agent, "are you there?"))).toBe("done");
    expect(model.asked[0]!.tools).toBeUndefined();
    expect(model.asked[0]!.messages[0]!.content).toMatch(/Not available at the moment: the tools of late\.$/);

    await startMcpServer(CALCULATOR, later.port);
    expect(textOf(await chat(agent, "and now?"))).toBe("done");
    expect(model.last.at(-1)).toBe("42");
  });

  it("that dies in the middle of a call fails that call only", async () => {
    const dying = await startMcpServer("import os\ndef die() -> None: os._exit(1)\ndef live() -> str: return 'alive'");
    const model = await Model.start([
      { calls: [{ name: "die", arguments: {} }] },
      { calls: [{ name: "live", arguments: {} }] },
      done,
    ]);
    models.push(model);
    const agent = await startAgent(model, { MCP_SERVERS: "dying", MCP_SERVER_DYING_URL: dying.url });
    expect(textOf(await chat(agent, "go"))).toBe("done");
    expect(model.last.slice(1)).toEqual([expect.stringMatching(/^Error: /), expect.stringMatching(/^Error: /)]);
  });
});
