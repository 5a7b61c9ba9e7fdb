// Agents that hand tasks to each other: two of the image, each the other's peer.

import { freePort } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, chat, eventsOf, type Running, startAgent, textOf } from "./support/agent.ts";
import { type Asked, Model, type Turn } from "./support/model.ts";

/** Both agents have this model; it delegates where it is told to, and else says what it was asked and by whom it is played. */
function play({ messages }: Asked): Turn {
  const { role, content } = messages.at(-1)!;
  const self = messages[0]!.content!.split(".")[0];
  const [order, peer, ...task] = content!.split(" ");
  if (role === "tool") return { text: `${self} heard: ${content}` };
  if (order === "fail") return { status: 400, body: "no" };
  if (order === "ask") return { calls: [{ name: `delegate_to_${peer}`, arguments: { task: task.join(" ") } }] };
  return { text: `${self} did: ${content}` };
}

let model: Model;
let boss: Running;
let worker: Running;
beforeAll(async () => {
  model = await Model.start(play);
  const [bossPort, workerPort] = [await freePort(), await freePort()];
  const ofBoss = {
    AGENT_NAME: "boss",
    AGENT_INSTRUCTIONS: "boss.",
    PEER_AGENTS: "worker-1,nobody",
    PEER_AGENT_WORKER_1_CARD_URL: `http://127.0.0.1:${workerPort}/.well-known/agent`,
    PEER_AGENT_NOBODY_CARD_URL: "http://127.0.0.1:1",
  };
  const ofWorker = {
    AGENT_NAME: "worker-1",
    AGENT_DESCRIPTION: "Works.",
    AGENT_INSTRUCTIONS: "worker.",
    PEER_AGENTS: "boss",
    PEER_AGENT_BOSS_CARD_URL: `http://127.0.0.1:${bossPort}`,
    MAX_DELEGATION_DEPTH: "3",
  };
  [boss, worker] = await Promise.all([startAgent(model, ofBoss, bossPort), startAgent(model, ofWorker, workerPort)]);
});
afterAll(() => model[Symbol.asyncDispose]());

describe("an agent with peers", () => {
  it("is offers each to the model by its card, and tells which is away", async () => {
    await chat(boss, "who is there?");
    const [asked] = model.about("who is there?");
    expect(asked!.tools!.map(({ function: tool }) => tool)).toEqual([
      {
        name: "delegate_to_worker-1",
        description: "Hands a task to the agent worker-1 and gives its answer. Works.",
        parameters: expect.objectContaining({ required: ["task"] }),
      },
    ]);
    expect(asked!.messages[0]!.content).toBe("boss.\n\nNot available at the moment: the agent nobody.");
    expect((await ask(boss, "/.well-known/agent")).body.capabilities).toContain("task_delegation");
  });

  it("hands on a task with what was said before it, and both remember", async () => {
    const messages = [
      { role: "user", content: "my name is Ada" },
      { role: "assistant", content: "hello Ada" },
      { role: "user", content: "ask worker-1 dig a hole" },
    ];
    const reply = await chat(boss, { messages }, { "x-session-id": "hole" });
    expect(textOf(reply)).toBe("boss heard: worker did: dig a hole");
    expect(model.about("dig a hole")[0]!.messages.slice(1)).toEqual([
      ...messages,
      { role: "user", content: "dig a hole" },
    ]);
    expect((await eventsOf(boss, "?session_id=hole")).slice(2)).toEqual([
      ["delegation_request", { agent: "worker-1", task: "dig a hole" }],
      ["delegation_response", { agent: "worker-1", response: "worker did: dig a hole" }],
      ["agent_response", "boss heard: worker did: dig a hole"],
    ]);
    expect(await eventsOf(worker)).toContainEqual(["task_delegation_received", "dig a hole"]);
  });

  it("does not hand a task back to who handed it on", async () => {
    const reply = await chat(boss, "ask worker-1 ask boss dig");
    const refusal = "boss has handed this task on already; do it yourself, or say why it can't be done";
    expect(textOf(reply)).toBe(`boss heard: worker heard: Error: ${refusal}`);
  });

  it("takes a task that came through as many agents as may be, hands it no further, and takes none that came further", async () => {
    const last = await chat(worker, "ask boss dig", { "x-agent-chain": "a, b, c" });
    expect(textOf(last)).toBe(
      "worker heard: Error: the task has been handed on 3 times, which is the limit; do it yourself",
    );
    const further = await chat(worker, "dig", { "x-agent-chain": "a, b, c, d" });
    expect(further).toMatchObject({ status: 400, body: { error: { code: "delegation_too_deep" } } });
  });

  it("tells the model when a peer fails, or is gone", async () => {
    const failed = await chat(boss, "ask worker-1 fail");
    expect(textOf(failed)).toMatch(/^boss heard: Error: agent worker-1 answered 400: .*model_refused_request/);
    await worker.container.stop();
    const gone = await chat(boss, "ask worker-1 dig", { "x-session-id": "gone" });
    expect(textOf(gone)).toBe("boss heard: Error: agent worker-1 can't be asked: ConnectError");
    expect((await eventsOf(boss, "?session_id=gone")).map(([type]) => type)).toContain("delegation_error");
  });
});
