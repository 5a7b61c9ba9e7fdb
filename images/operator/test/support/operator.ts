// The operator as a container beside a cluster.

import { type Container, builtImage, freePort, until } from "@waybill/testing";
import { type Cluster, SYSTEM } from "./cluster.ts";

export const IMAGES = {
  DEFAULT_AGENT_IMAGE: "registry.test/agent:1",
  DEFAULT_MCP_SERVER_IMAGE: "registry.test/agent:1",
  DEFAULT_LITELLM_IMAGE: "registry.test/litellm:1",
  DEFAULT_OLLAMA_IMAGE: "registry.test/ollama:1",
};

export interface Operator {
  container: Container;
  /** Base URLs. */
  metrics: string;
  probes: string;
}

/** Starts an operator and waits until it is ready. */
export async function startOperator(cluster: Cluster, flags: string[] = []): Promise<Operator> {
  const image = await builtImage("operator");
  const [metrics, probes] = [await freePort(), await freePort()];
  const container = await image.run({
    args: [`--metrics-bind-address=127.0.0.1:${metrics}`, `--health-probe-bind-address=127.0.0.1:${probes}`, ...flags],
    env: { ...IMAGES, SYSTEM_NAMESPACE: SYSTEM, KUBECONFIG: "/kubeconfig" },
    mounts: [{ source: cluster.account, target: "/kubeconfig", readOnly: true }],
  });
  const operator = { container, metrics: `http://127.0.0.1:${metrics}`, probes: `http://127.0.0.1:${probes}` };
  const ended = container.exited();
  await Promise.race([
    until("a ready operator", async () => (await statusOf(`${operator.probes}/readyz`)) === 200),
    ended.then(({ exitCode }) => {
      throw new Error(`the operator ended with ${exitCode}:\n${container.stderr}`);
    }),
  ]);
  return operator;
}

/** 0 where nobody answers. */
export async function statusOf(url: string): Promise<number> {
  return fetch(url).then(
    ({ status }) => status,
    () => 0,
  );
}

/** A metric's value, summed over its labels. */
export async function metric({ metrics }: Operator, name: string, label = ""): Promise<number> {
  const text = await (await fetch(`${metrics}/metrics`)).text();
  const lines = text.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
