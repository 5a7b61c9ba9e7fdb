// The image as an agent or as an MCP server, and the few requests that tests make of them.

import { builtImage, type BuiltImage, type Container, type ContainerOptions, freePort } from "@waybill/testing";
import { vi } from "vitest";
import type { Model } from "./model.ts";

/** For what a busy machine makes slow: containers that start, programs that end. */
export const PATIENCE_MS = 120_000;
vi.setConfig({ testTimeout: 2 * PATIENCE_MS, hookTimeout: 2 * PATIENCE_MS });

export interface Running {
  container: Container;
  port: number;
  url: string;
}

export const agentImage = (): Promise<BuiltImage> => builtImage("agent");

/** An agent that is ready, on a free port or the given one. */
export async function startAgent(
  model: Pick<Model, "url">,
  env: Record<string, string> = {},
  given?: number,
): Promise<Running> {
  const port = given ?? (await freePort());
  const settings = {
    AGENT_NAME: "tested",
    AGENT_HOST: "127.0.0.1",
    AGENT_PORT: String(port),
    MODEL_API_URL: model.url,
    MODEL_NAME: "scripted",
    ...env,
  };
  return running(port, { env: settings });
}

/** An MCP server whose tools are functions of this source, and that is ready. */
export async function startMcpServer(
  source: string,
  given?: number,
  more: Record<string, string> = {},
): Promise<Running> {
  const port = given ?? (await freePort());
  const env = {
    WAYBILL_MODE: "mcp-server",
    MCP_HOST: "127.0.0.1",
    MCP_PORT: String(port),
    MCP_TOOLS_STRING: source,
    ...more,
  };
  return running(port, { env });
}

async function running(port: number, options: ContainerOptions): Promise<Running> {
  const container = await (await agentImage()).run(options);
  await container.logged(/"message": "ready"/, PATIENCE_MS);
  return { container, port, url: `http://127.0.0.1:${port}` };
}

export interface Reply {
  status: number;
  headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- an answer's shape is what the tests assert
  body: any;
}

/** Asks for a chat completion; a string is what the user says. */
export async function chat(
  agent: Running,
  request: string | object,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const said = typeof request === "string" ? { messages: [{ role: "user", content: request }] } : request;
  return ask(agent, "/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(said),
  });
}

export async function ask(agent: Running, path: string, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(agent.url + path, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** What the agent answered, of a reply that went well. */
export function textOf(reply: Reply): string {
  if (reply.status !== 200) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`);
  return reply.body.choices[0].message.content as string;
}

/** Types and contents of the memory's events, oldest first. */
export async function eventsOf(agent: Running, query = ""): Promise<[string, unknown][]> {
  const { body } = await ask(agent, `/memory/events${query}`);
  return (body.events as { event_type: string; content: unknown }[]).map((event) => [event.event_type, event.content]);
}
