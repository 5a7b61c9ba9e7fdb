// The other mode: Python functions as MCP tools, for the official client, over HTTP and over stdin.

import { mkdtemp, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentImage, ask, type Running, startMcpServer, PATIENCE_MS } from "./support/agent.ts";

const TOOLS = `
import json
from dataclasses import dataclass
from pathlib import Path
from time import sleep

RATE = 2

@dataclass
class Guest:
    name: str
    age: int

def _secret() -> int:
    return 1

def double(number: int) -> int:
    """Doubles a number."""
    print("doubling")
    return number * RATE + _secret() - 1

async def greet(name: str = "you") -> Guest:
    return Guest(name, 7)

def wait(seconds: float) -> str:
    sleep(seconds)
    return "waited"

def fail() -> None:
    raise RuntimeError("the reason is in the log")
`;

const connect = async (transport: StreamableHTTPClientTransport | StdioClientTransport): Promise<Client> => {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  return client;
};

describe("over HTTP", () => {
  let server: Running;
  let client: Client;
  beforeAll(async () => {
    server = await startMcpServer(TOOLS);
    client = await connect(new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`)));
  });
  afterAll(() => client.close());

  it("the source's own public functions are tools, with schemas from their types", async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(["double", "greet", "wait", "fail"]);
    expect(tools[0]).toMatchObject({
      description: "Doubles a number.",
      inputSchema: { type: "object", properties: { number: { type: "integer" } }, required: ["number"] },
    });
  });

  it("a tool may be plain or async, see its module, and give structures", async () => {
    expect(await client.callTool({ name: "double", arguments: { number: 21 } })).toMatchObject({
      content: [{ type: "text", text: "42" }],
      structuredContent: { result: 42 },
    });
    const greeted = await client.callTool({ name: "greet", arguments: {} });
    expect(greeted.structuredContent).toEqual({ name: "you", age: 7 });
  });

  it("wrong arguments and failures are results that say so; what failed is in the log only", async () => {
    const wrong = await client.callTool({ name: "double", arguments: { number: "many" } });
    expect(wrong).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("valid integer") }] });
    const failed = await client.callTool({ name: "fail" });
    expect(failed).toMatchObject({ isError: true, content: [{ text: "Error executing tool fail" }] });
    await server.container.logged(/RuntimeError: the reason is in the log/, PATIENCE_MS);
  });

  it("a plain tool that blocks holds up nobody else", async () => {
    const slow = client.callTool({ name: "wait", arguments: { seconds: 3 } });
    expect(await ask(server, "/health")).toMatchObject({ status: 200, body: { status: "healthy" } });
    expect(await ask(server, "/ready")).toMatchObject({ status: 200, body: { status: "ready" } });
    expect((await client.callTool({ name: "double", arguments: { number: 1 } })).structuredContent).toEqual({
      result: 2,
    });
    expect((await slow).structuredContent).toEqual({ result: "waited" });
  });

  it("a body that is too large is refused", async () => {
    const response = await fetch(`${server.url}/mcp`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "x", params: { x: "x".repeat(5_000_000) } }),
    });
    expect(response.status).toBe(413);
  });

  it("on SIGTERM a call in flight finishes", async () => {
    const stopped = await startMcpServer(TOOLS);
    const client = await connect(new StreamableHTTPClientTransport(new URL(`${stopped.url}/mcp`)));
    const slow = client.callTool({ name: "wait", arguments: { seconds: 3 } });
    await client.callTool({ name: "double", arguments: { number: 1 } });
    const ended = stopped.container.stop("SIGTERM", PATIENCE_MS);
    expect((await slow).structuredContent).toEqual({ result: "waited" });
    expect(await ended).toMatchObject({ exitCode: 0 });
    await client.close();
  });

  it("on SIGTERM a call that hangs is left behind", async () => {
    const source = "import time\ndef hang() -> None:\n    print('hanging', flush=True)\n    time.sleep(3600)";
    const hanging = await startMcpServer(source, undefined, { SHUTDOWN_SECONDS: "1" });
    const client = await connect(new StreamableHTTPClientTransport(new URL(`${hanging.url}/mcp`)));
    const call = client.callTool({ name: "hang" }).catch(() => "dropped");
    await hanging.container.logged(/hanging/, PATIENCE_MS);
    expect(await hanging.container.stop("SIGTERM", PATIENCE_MS)).toMatchObject({ exitCode: 0 });
    await client.close();
    await call;
  });
});

describe("over stdin", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "waybill-agent-tools-"));
    await chmod(folder, 0o755);
    await writeFile(join(folder, "tools.py"), TOOLS);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("a file's functions are tools, whatever they print", async () => {
    const { command, args, env } = (await agentImage()).command({
      args: ["mcp-server", "--stdio", "/tools/tools.py"],
      mounts: [{ source: folder, target: "/tools", readOnly: true }],
      network: "none",
      flags: ["--interactive"],
    });
    const known = Object.entries({ ...process.env, ...env }).filter((entry): entry is [string, string] => !!entry[1]);
    const client = await connect(
      new StdioClientTransport({ command, args, env: Object.fromEntries(known), stderr: "ignore" }),
    );
    expect(await client.callTool({ name: "double", arguments: { number: 21 } })).toMatchObject({
      structuredContent: { result: 42 },
    });
    await client.close();
  });
});

describe("tools that are none", () => {
  const sources: [string, string, string][] = [
    ["a syntax error", "def f(:\n  pass", "MCP_TOOLS_STRING, line 1: invalid syntax"],
    [
      "a failing import",
      "\nimport nothing_here",
      "MCP_TOOLS_STRING, line 2: ModuleNotFoundError: No module named 'nothing_here'",
    ],
    [
      "no function",
      "from json import dumps\n_x = 1",
      "MCP_TOOLS_STRING defines no tool: each function is one, unless its name begins with _",
    ],
    ["an argument without a schema", "def f(_a: int): pass", "tool f: "],
  ];
  it.each(sources)("since of %s end the server with one line that says where", async (_, source, said) => {
    const container = await (await agentImage()).run({ args: ["mcp-server"], env: { MCP_TOOLS_STRING: source } });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
    expect(container.stderr).toContain(`waybill-agent: ${said}`);
    expect(container.stderr.trim().split("\n").length).toBe(1);
  });
});
