// The operator does its work with the rights that the chart gives it, and with no others: it runs here as its service account.

import { type Container, type Kubernetes, builtImage, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CHART, NAMESPACE, type Manifest, manifestsOf, render } from "./support/chart.ts";

let kubernetes: Kubernetes;
let operator: Container | undefined;

beforeAll(async () => {
  kubernetes = await startKubernetes({ controllers: true });
  const { exitCode, stderr } = await kubernetes.helm(4, [
    "install",
    "waybill",
    CHART,
    `--namespace=${NAMESPACE}`,
    "--create-namespace",
    // Nobody runs it here, and it would fail closed.
    "--set=webhook.enabled=false",
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  const kubeconfig = await kubernetes.kubeconfigOf(NAMESPACE, "waybill-operator");
  const image = await builtImage("operator");
  operator = await image.run({
    args: (await containerOf("waybill-operator")).args?.map((flag) => flag.replace(/:808\d$/, "0")) ?? [],
    env: {
      DEFAULT_AGENT_IMAGE: "registry.example/agent:1",
      DEFAULT_MCP_SERVER_IMAGE: "registry.example/mcp:1",
      DEFAULT_LITELLM_IMAGE: "registry.example/litellm:1",
      DEFAULT_OLLAMA_IMAGE: "registry.example/ollama:1",
      KUBECONFIG: "/kubeconfig",
      SYSTEM_NAMESPACE: NAMESPACE,
    },
    mounts: [{ source: kubeconfig, target: "/kubeconfig", readOnly: true }],
  });
});
afterAll(async () => {
  await operator?.stop();
  await kubernetes.stop();
});

async function containerOf(name: string) {
  const manifests: Manifest[] = manifestsOf(await render(kubernetes, 4, []));
  const found = manifests.find((each) => each.kind === "Deployment" && each.metadata.name === name);
  const [container] = found?.spec?.template?.spec.containers ?? [];
  if (container === undefined) throw new Error(`no container in ${name}`);
  return container;
}

const names = async (kind: string): Promise<string[]> =>
  (await kubernetes.kubectl(["get", kind, "-n", "default", "-o", "jsonpath={.items[*].metadata.name}"])).split(" ");

test("makes what an object asks for, and reports on it", async () => {
  const spec = { mode: "Hosted", hostedConfig: { model: "smollm2:135m" } };
  await kubernetes.apply(
    JSON.stringify({
      apiVersion: "kaos.tools/v1alpha1",
      kind: "ModelAPI",
      metadata: { name: "m", namespace: "default" },
      spec,
    }),
  );
  await until("a Deployment", async () => (await names("deployments")).includes("modelapi-m"));
  await until("a Service", async () => (await names("services")).includes("modelapi-m"));
  const conditions = ["get", "modelapi", "m", "-n", "default", "-o", "jsonpath={.status.conditions}"];
  await until("a condition", async () => (await kubernetes.kubectl(conditions)) !== "");
});

test("leads by a Lease in its own namespace", async () => {
  const leases = ["get", "leases", "-n", NAMESPACE, "-o", "jsonpath={.items[*].spec.holderIdentity}"];
  await until("a leader", async () => (await kubernetes.kubectl(leases)) !== "");
});

test("was refused nothing", () => {
  expect(`${operator?.stdout}${operator?.stderr}`).not.toMatch(/forbidden/i);
});

test("may not read Secrets", async () => {
  const account = `--as=system:serviceaccount:${NAMESPACE}:waybill-operator`;
  await expect(kubernetes.kubectl(["get", "secrets", "-A", account])).rejects.toThrow("forbidden");
});
