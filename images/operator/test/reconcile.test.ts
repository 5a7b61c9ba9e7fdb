// What becomes of the three kinds on a real API server, with real controllers, under the role that the operator's source asks for.

import { until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, SYSTEM, startCluster } from "./support/cluster.ts";
import { conditions, edit, makeReady, object } from "./support/objects.ts";
import type { Deployment, Kind } from "./support/objects.ts";
import { type Operator, metric, startOperator, statusOf } from "./support/operator.ts";

let cluster: Cluster;
let operator: Operator;
beforeAll(async () => {
  cluster = await startCluster({ controllers: true });
  operator = await startOperator(cluster);
}, 300_000);
afterAll(() => cluster.stop());

const deployment = (name: string): Promise<Deployment> =>
  until(`Deployment ${name}`, () => cluster.get<Deployment>("deployment", name));
const kind = (name: string, of: string, what: (object: Kind) => boolean): Promise<Kind> =>
  until(`${of} ${name}`, async () => {
    const found = await cluster.get<Kind>(of, name);
    return found !== undefined && what(found) && found;
  }).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}\n${JSON.stringify(await cluster.get<Kind>(of, name), null, 1)}\n${operator.container.stderr}`,
    );
  });

test("it is alive, ready, and has metrics", async () => {
  expect(await statusOf(`${operator.probes}/healthz`)).toBe(200);
  expect(await metric(operator, "controller_runtime_max_concurrent_reconciles", 'controller="agent"')).toBe(4);
});

describe("a ModelAPI", () => {
  test("of mode Proxy is LiteLLM with its configuration, in a pod that is restricted", async () => {
    await cluster.apply(
      object("ModelAPI", "gpt", { mode: "Proxy", proxyConfig: { models: ["gpt-4o"], provider: "openai" } }),
    );
    const { metadata, spec } = await deployment("modelapi-gpt");
    expect(metadata.ownerReferences).toMatchObject([{ kind: "ModelAPI", name: "gpt", controller: true }]);
    expect(spec.template.spec.containers).toMatchObject([{ name: "model-api", image: "registry.test/litellm:1" }]);
    const configuration = await cluster.get<{ data: Record<string, string> }>("configmap", "litellm-config-gpt");
    expect(configuration?.data["config.yaml"]).toContain("model: openai/gpt-4o");
    // The namespace enforces the standard "restricted": there would be no pod otherwise.
    const ready = await makeReady(cluster, "modelapi-gpt").then(() =>
      kind("gpt", "modelapi", ({ status }) => status?.ready === true),
    );
    expect(ready.status).toMatchObject({
      phase: "Ready",
      endpoint: "http://modelapi-gpt.team.svc.cluster.local:8000",
      observedGeneration: 1,
    });
    expect(conditions(ready)).toEqual({ Accepted: "True", Available: "True", Ready: "True" });
  });

  test("that changes its mode has another port, another program, and no ConfigMap", async () => {
    await cluster.apply(object("ModelAPI", "moved", { mode: "Proxy", proxyConfig: { models: ["*"] } }));
    await until("its ConfigMap", () => cluster.get("configmap", "litellm-config-moved"));
    await cluster.apply(object("ModelAPI", "moved", { mode: "Hosted", hostedConfig: { model: "smollm2:135m" } }));
    await until("no ConfigMap", async () => (await cluster.get("configmap", "litellm-config-moved")) === undefined);
    const { spec } = await deployment("modelapi-moved");
    expect(spec.template.spec).toMatchObject({
      initContainers: [{ name: "pull-model", image: "registry.test/ollama:1" }],
      containers: [{ image: "registry.test/ollama:1", ports: [{ containerPort: 11434 }] }],
      volumes: [{ name: "models" }, { name: "tmp" }],
    });
    expect(await cluster.get("service", "modelapi-moved")).toMatchObject({ spec: { ports: [{ port: 11434 }] } });
    await makeReady(cluster, "modelapi-moved");
  });
});

describe("an MCPServer", () => {
  test("runs the Python that it is given", async () => {
    await cluster.apply(object("MCPServer", "echo", { runtime: "python-string", params: "def f(): return '$(HOME)'" }));
    const { spec } = await deployment("mcpserver-echo");
    const env = spec.template.spec.containers[0]?.env;
    expect(env).toContainEqual({ name: "MCP_TOOLS_STRING", value: "def f(): return '$$(HOME)'" });
    await makeReady(cluster, "mcpserver-echo");
    await kind("echo", "mcpserver", ({ status }) => status?.ready === true);
  });

  test("of a runtime that nobody knows says so, and of one in the registry runs it", async () => {
    await cluster.apply(object("MCPServer", "slack", { runtime: "slack", params: "channel: x" }));
    const refused = await kind("slack", "mcpserver", ({ status }) => status?.phase === "Failed");
    expect(refused.status?.message).toContain('there is no runtime "slack"');
    expect(conditions(refused)).toMatchObject({ Accepted: "False", Ready: "False" });
    const registry = "runtimes: { slack: { image: registry.test/slack:1, paramsEnvVar: SLACK_PARAMS } }";
    const data = { "runtimes.yaml": registry };
    await cluster.apply(
      JSON.stringify({
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: { name: "kaos-mcp-runtimes", namespace: SYSTEM },
        data,
      }),
    );
    await cluster.apply(object("MCPServer", "slack", { runtime: "slack", params: "channel: y" }));
    const { spec } = await deployment("mcpserver-slack");
    expect(spec.template.spec.containers).toMatchObject([{ image: "registry.test/slack:1" }]);
  });
});

describe("an Agent", () => {
  const AGENT = { modelAPI: "gpt", model: "gpt-4o" };

  test("waits for what it names, says for what, and starts when all is ready", async () => {
    const needs = { modelAPI: "late", model: "m", mcpServers: ["later"], agentNetwork: { access: ["latest"] } };
    await cluster.apply(object("Agent", "patient", needs));
    const waiting = await kind("patient", "agent", ({ status }) => status?.phase === "Waiting");
    expect(waiting.status?.message).toBe(
      "waits: there is no ModelAPI late; there is no MCPServer later; there is no Agent latest",
    );
    expect(conditions(waiting)).toMatchObject({ Accepted: "True", DependenciesReady: "False", Ready: "False" });

    await cluster.apply(object("ModelAPI", "late", { mode: "Hosted", hostedConfig: { model: "m" } }));
    await cluster.apply(object("MCPServer", "later", { runtime: "custom", container: { image: "x:1" } }));
    await cluster.apply(object("Agent", "latest", { modelAPI: "late", model: "m" }));
    await kind(
      "patient",
      "agent",
      ({ status }) =>
        status?.message ===
        "waits: ModelAPI late is not ready; MCPServer later is not ready; Agent latest is not ready",
    );
    await makeReady(cluster, "modelapi-late");
    await makeReady(cluster, "mcpserver-later");
    expect(await cluster.get("deployment", "agent-patient")).toBeUndefined();
    await makeReady(cluster, "agent-latest");
    const { spec } = await deployment("agent-patient");
    const env = Object.fromEntries(
      (spec.template.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value]),
    );
    expect(env).toMatchObject({
      MODEL_API_URL: "http://modelapi-late.team.svc.cluster.local:11434",
      MCP_SERVERS: "later",
      MCP_SERVER_later_URL: "http://mcpserver-later.team.svc.cluster.local:8000",
      PEER_AGENTS: "latest",
      PEER_AGENT_LATEST_CARD_URL: "http://agent-latest.team.svc.cluster.local:8000",
      AGENTIC_LOOP_MAX_STEPS: "5",
      MEMORY_MAX_SESSIONS: "1000",
    });
    await makeReady(cluster, "agent-patient");
    const ready = await kind("patient", "agent", ({ status }) => status?.ready === true);
    expect(ready.status?.linkedResources).toEqual({ modelapi: "late", mcpservers: "later", peers: "latest" });
  });

  test("of two that call each other neither waits for the other to be ready", async () => {
    await cluster.apply(object("Agent", "hen", { ...AGENT, agentNetwork: { access: ["egg"] } }));
    await cluster.apply(object("Agent", "egg", { ...AGENT, agentNetwork: { access: ["hen"] } }));
    await deployment("agent-hen");
    await deployment("agent-egg");
  });

  test("with a model that the ModelAPI has not says which it has", async () => {
    await cluster.apply(object("Agent", "wrong", { ...AGENT, model: "claude" }));
    const refused = await kind("wrong", "agent", ({ status }) => status?.phase === "Failed");
    expect(refused.status?.message).toBe("model claude is not served by ModelAPI gpt: it has gpt-4o");
    expect(await cluster.get("deployment", "agent-wrong")).toBeUndefined();
  });

  test("gets the podSpec merged by container name, and without it the default again", async () => {
    const podSpec = {
      containers: [
        { name: "agent", image: "mine:1" },
        { name: "side", image: "side:1" },
      ],
      priorityClassName: "",
    };
    await cluster.apply(object("Agent", "custom", { ...AGENT, podSpec }));
    const custom = await deployment("agent-custom");
    expect(custom.spec.template.spec.containers.map(({ name, image }) => [name, image])).toEqual([
      ["agent", "mine:1"],
      ["side", "side:1"],
    ]);
    expect(custom.spec.template.spec.containers[0]?.env).toContainEqual({ name: "AGENT_NAME", value: "custom" });
    await cluster.kubectl([
      "patch",
      "agent",
      "custom",
      "-n",
      "team",
      "--type=json",
      '-p=[{"op":"remove","path":"/spec/podSpec"}]',
    ]);
    await until("the default", async () => {
      const containers = (await deployment("agent-custom")).spec.template.spec.containers;
      return containers.length === 1 && containers[0]?.image === "registry.test/agent:1";
    });
  });

  test("with a podSpec that can't be says why, and what ran goes on", async () => {
    await cluster.apply(object("Agent", "sound", AGENT));
    await deployment("agent-sound");
    await cluster.apply(object("Agent", "sound", { ...AGENT, podSpec: { contaners: [] } }));
    const refused = await kind("sound", "agent", ({ status }) => status?.phase === "Failed");
    expect(refused.status?.message).toContain('unknown field "contaners"');
    expect(await cluster.get("deployment", "agent-sound")).toBeDefined();
  });

  test("that the API server refuses a pod for says so in its own words", async () => {
    const podSpec = { containers: [{ name: "agent", resources: { limits: { cpu: "1" }, requests: { cpu: "2" } } }] };
    await cluster.apply(object("Agent", "greedy", { ...AGENT, podSpec }));
    const refused = await kind("greedy", "agent", ({ status }) => status?.phase === "Failed");
    expect(refused.status?.message).toContain("must be less than or equal to cpu limit");
  });

  test("takes nothing that belongs to somebody else", async () => {
    const foreign = { apiVersion: "v1", kind: "Service", metadata: { name: "agent-guest", namespace: "team" } };
    await cluster.apply(JSON.stringify({ ...foreign, spec: { ports: [{ port: 1 }] } }));
    await cluster.apply(object("Agent", "guest", AGENT));
    const refused = await kind("guest", "agent", ({ status }) => status?.phase === "Failed");
    expect(refused.status?.message).toBe("Service agent-guest is there already and belongs to somebody else");
    expect(await cluster.get("service", "agent-guest")).toMatchObject({ spec: { ports: [{ port: 1 }] } });
  });
});

describe("drift", () => {
  const owned = { modelAPI: "gpt", model: "gpt-4o" };

  test("of a field is set back, and what others added stays", async () => {
    await cluster.apply(object("Agent", "steady", owned));
    await deployment("agent-steady");
    await cluster.kubectl(["scale", "deployment", "agent-steady", "-n", "team", "--replicas=2"]);
    await edit(cluster, "deployment", "agent-steady", "/spec/template/spec/containers/0/image", "evil:1");
    await until("the image again", async () => {
      const { spec } = await deployment("agent-steady");
      return spec.template.spec.containers[0]?.image === "registry.test/agent:1";
    });
    expect((await deployment("agent-steady")).spec.replicas).toBe(2);
  });

  test("of a label that the operator finds its objects by is set back", async () => {
    await cluster.kubectl(["label", "service", "agent-steady", "-n", "team", "app.kubernetes.io/managed-by-"]);
    await until("the label again", async () => {
      const service = await cluster.get<Kind>("service", "agent-steady");
      return service?.metadata.labels?.["app.kubernetes.io/managed-by"] === "kaos-operator";
    });
  });

  test.each(["service", "deployment"])("of a %s that was deleted brings it back", async (of) => {
    const before = await cluster.get<Kind>(of, "agent-steady");
    await cluster.kubectl(["delete", of, "agent-steady", "-n", "team"]);
    await until("another one", async () => {
      const now = await cluster.get<Kind>(of, "agent-steady");
      return now !== undefined && now.metadata.uid !== before?.metadata.uid;
    });
  });

  test("is none: a settled cluster is left alone", async () => {
    const calls = (): Promise<number> => metric(operator, "controller_runtime_reconcile_total");
    let last = await calls();
    let quiet = 0;
    await until("five looks without a reconciliation", async () => {
      const now = await calls();
      quiet = now === last ? quiet + 1 : 0;
      last = now;
      return quiet >= 5;
    });
  });

  test("an Agent that is no longer exposed has no Service, and one that is deleted has nothing", async () => {
    await cluster.apply(object("Agent", "steady", { ...owned, agentNetwork: { expose: false } }));
    await until("no Service", async () => (await cluster.get("service", "agent-steady")) === undefined);
    await cluster.kubectl(["delete", "agent", "steady", "-n", "team"]);
    await until("no Deployment", async () => (await cluster.get("deployment", "agent-steady")) === undefined);
  });
});

test("what fails for now is told, and tried again", async () => {
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "none", namespace: "team" } };
  await cluster.apply(JSON.stringify({ ...quota, spec: { hard: { services: "0" } } }));
  await until(
    "the quota to count",
    async () => (await cluster.get<Kind>("resourcequota", "none"))?.status !== undefined,
  );
  await cluster.apply(object("MCPServer", "poor", { runtime: "custom", container: { image: "x:1" } }));
  const told = await kind("poor", "mcpserver", ({ status }) => status?.message?.includes("exceeded quota") === true);
  expect(conditions(told)).toMatchObject({ Accepted: "True", Available: "False" });
  await cluster.kubectl(["delete", "resourcequota", "none", "-n", "team"]);
  await deployment("mcpserver-poor");
});

test("SIGTERM ends it with 0", async () => {
  // Its role was enough.
  expect(operator.container.stderr).not.toMatch(/cannot \w+ resource/);
  expect(await operator.container.stop()).toMatchObject({ exitCode: 0 });
});
