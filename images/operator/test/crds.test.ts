// What the API server takes and refuses by the CRDs alone, without the webhook.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "./support/cluster.ts";

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
});
afterAll(() => cluster.stop());

const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: "kaos.tools/v1alpha1", kind, metadata: { name, namespace: "team" }, spec });

const PROXY = { mode: "Proxy", proxyConfig: { models: ["gpt-4o"] } };
const AGENT = { modelAPI: "gpt", model: "gpt-4o" };

describe("objects that KAOS's manual shows", () => {
  test.each([
    ["ModelAPI", "gpt", { ...PROXY, proxyConfig: { models: ["*"], provider: "nebius", apiBase: "https://x.test/v1" } }],
    ["ModelAPI", "smol", { mode: "Hosted", hostedConfig: { model: "smollm2:135m" } }],
    ["MCPServer", "echo", { runtime: "python-string", params: "def echo(text: str) -> str:\n    return text\n" }],
    ["MCPServer", "own", { runtime: "custom", container: { image: "mine:1" } }],
    ["Agent", "helper", AGENT],
    [
      "Agent",
      "custom",
      { ...AGENT, podSpec: { containers: [{ name: "agent", image: "myregistry/custom-agent:v1.0.0" }] } },
    ],
  ])("%s %s is taken", async (kind, name, spec) => {
    await cluster.apply(object(kind, name, spec));
  });

  test("get their defaults", async () => {
    await cluster.apply(object("Agent", "defaults", AGENT));
    const { spec } = (await cluster.get<{ spec: object }>("agent", "defaults")) ?? {};
    const memory = { enabled: true, type: "local", contextLimit: 6, maxSessions: 1000, maxSessionEvents: 500 };
    expect(spec).toEqual({ ...AGENT, waitForDependencies: true, config: { reasoningLoopMaxSteps: 5, memory } });
  });

  test("keep a podSpec as it was written", async () => {
    const podSpec = { nodeSelector: { gpu: "yes" }, volumes: [{ name: "tmp", $patch: "delete" }] };
    await cluster.apply(object("Agent", "patched", { ...AGENT, podSpec }));
    expect((await cluster.get<{ spec: { podSpec: object } }>("agent", "patched"))?.spec.podSpec).toEqual(podSpec);
  });

  test("are shown in columns", async () => {
    const lines = (await cluster.kubectl(["get", "agents,mcp,modelapis", "-n", "team"])).split("\n");
    expect(lines.filter((line) => line.startsWith("NAME")).map((line) => line.split(/\s+/))).toEqual([
      ["NAME", "MODELAPI", "MODEL", "READY", "PHASE", "AGE"],
      ["NAME", "RUNTIME", "READY", "PHASE", "AGE"],
      ["NAME", "MODE", "READY", "PHASE", "AGE"],
    ]);
  });

  test("are explained by kubectl", async () => {
    const text = await cluster.kubectl(["explain", "agent.spec.config.reasoningLoopMaxSteps"]);
    expect(text).toContain("how often the agent may ask the model");
  });
});

describe("objects that make no sense are refused", () => {
  test.each([
    ["no model", "Agent", "a", { modelAPI: "gpt" }, "spec.model: Required"],
    ["too many steps", "Agent", "a", { ...AGENT, config: { reasoningLoopMaxSteps: 21 } }, "less than or equal to 20"],
    ["another memory", "Agent", "a", { ...AGENT, config: { memory: { type: "redis" } } }, "Unsupported value"],
    ["itself as peer", "Agent", "a", { ...AGENT, agentNetwork: { access: ["b", "a"] } }, "no peer of its own"],
    ["a server twice", "Agent", "a", { ...AGENT, mcpServers: ["x", "x"] }, "Duplicate value"],
    ["a name that is no Service's", "Agent", "a.b", AGENT, "no dots"],
    ["a name that is too long", "Agent", "a".repeat(58), AGENT, "at most 57"],
    ["an unknown mode", "ModelAPI", "m", { mode: "Magic" }, "Unsupported value"],
    ["a mode without its configuration", "ModelAPI", "m", { mode: "Hosted" }, "mode Hosted needs hostedConfig"],
    [
      "two configurations",
      "ModelAPI",
      "m",
      { ...PROXY, hostedConfig: { model: "x" } },
      "mode Proxy has no hostedConfig",
    ],
    ["no models", "ModelAPI", "m", { mode: "Proxy", proxyConfig: { models: [] } }, "at least 1 items"],
    [
      "a model that is a command",
      "ModelAPI",
      "m",
      { mode: "Hosted", hostedConfig: { model: "x; rm -rf /" } },
      "should match",
    ],
    [
      "a key in two places",
      "ModelAPI",
      "m",
      { mode: "Proxy", proxyConfig: { models: ["x"], apiKey: {} } },
      "either value or valueFrom",
    ],
    ["custom without an image", "MCPServer", "s", { runtime: "custom" }, "needs container.image"],
    ["a field that isn't", "MCPServer", "s", { runtime: "python-string", parms: "" }, "unknown field"],
  ])("%s", async (_what, kind, name, spec, reason) => {
    await expect(cluster.kubectl(["create", "-f", "-"], object(kind, name, spec))).rejects.toThrow(reason);
  });
});
