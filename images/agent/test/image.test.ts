// What is true of the image whatever it does, and how its modes are picked.

import { type BuiltImage, freePort } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { agentImage, startAgent, startMcpServer } from "./support/agent.ts";
import { Model } from "./support/model.ts";

let image: BuiltImage;
beforeAll(async () => void (image = await agentImage()));

describe("the image", () => {
  it("runs as 65532, says its port and checks its own health", () => {
    expect(image.record.platforms[0]).toMatchObject({
      user: "65532:65532",
      entrypoint: ["/venv/bin/python", "-P", "-m", "waybill_agent"],
      exposedPorts: ["8000/tcp"],
      healthcheck: ["CMD", "/venv/bin/python", "-P", "-m", "waybill_agent", "healthcheck"],
    });
  });

  it("has no shell, no pip, no uv, and nothing of the tests", async () => {
    const look = `
import importlib.util, os
print([n for n in ["/bin/sh", "/usr/local/bin/uv", "/venv/bin/pip", "/venv/bin/uvicorn"] if os.path.exists(n)],
      [n for n in ["pip", "pytest", "ruff", "mypy"] if importlib.util.find_spec(n)])`;
    const container = await image.run({ entrypoint: "/venv/bin/python", args: ["-c", look] });
    await container.exited();
    expect(container.stdout.trim()).toBe("[] []");
  });

  it("has byte code that clamped time stamps can't make stale, of its own modules and of others", async () => {
    const look = `
import importlib.util
for name in ["waybill_agent.agent.app", "mcp", "pydantic"]:
    print(open(importlib.util.cache_from_source(importlib.util.find_spec(name).origin), "rb").read(8)[4:].hex())`;
    const container = await image.run({ entrypoint: "/venv/bin/python", args: ["-c", look] });
    await container.exited();
    // PEP 552: flags 1 is hash-based and unchecked.
    expect(container.stdout.trim().split("\n")).toEqual(["01000000", "01000000", "01000000"]);
  });

  it("runs as another user too", async () => {
    const container = await image.run({ args: ["dance"], user: "12345:12345", network: "none" });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
  });
});

describe("the mode", () => {
  it("is one of three; another lists them and ends with 2", async () => {
    const container = await image.run({ args: ["dance"], env: { WAYBILL_MODE: "healthcheck" } });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
    expect(container.stderr).toBe('waybill-agent: unknown mode "dance": use one of agent, mcp-server, healthcheck\n');
  });

  it("comes from WAYBILL_MODE, which an argument overrules, and is the agent without either", async () => {
    const byEnvironment = await image.run({ env: { WAYBILL_MODE: "mcp-server" } });
    expect(await byEnvironment.exited()).toMatchObject({ exitCode: 2 });
    expect(byEnvironment.stderr).toContain("no tools: set MCP_TOOLS_STRING");

    const byArgument = await image.run({ args: ["agent"], env: { WAYBILL_MODE: "mcp-server" } });
    await byArgument.exited();
    const byDefault = await image.run();
    expect(await byDefault.exited()).toMatchObject({ exitCode: 2 });
    const lines = ["AGENT_NAME", "MODEL_API_URL", "MODEL_NAME"].map((name) => `waybill-agent: ${name} is missing\n`);
    expect([byArgument.stderr, byDefault.stderr]).toEqual([lines.join(""), lines.join("")]);
  });
});

describe("healthcheck", () => {
  it("is well with an agent or an MCP server that listens, by the port in the environment", async () => {
    await using model = await Model.start({});
    const agent = await startAgent(model);
    const server = await startMcpServer("def one() -> int: return 1");
    const ports: Record<string, string>[] = [{ AGENT_PORT: String(agent.port) }, { MCP_PORT: String(server.port) }];
    for (const env of ports) {
      const check = await image.run({ args: ["healthcheck"], env });
      expect(await check.exited()).toMatchObject({ exitCode: 0 });
    }
  });

  it("is not well when nobody listens", async () => {
    const check = await image.run({
      args: ["healthcheck"],
      env: { AGENT_PORT: String(await freePort()), MCP_PORT: "1" },
    });
    expect(await check.exited()).toMatchObject({ exitCode: 1 });
  });
});
