// Objects as the tests write and read them.

import { until } from "@waybill/testing";
import type { Cluster } from "./cluster.ts";

export interface Kind {
  metadata: { uid: string; labels?: Record<string, string>; ownerReferences?: object[] };
  status?: {
    phase?: string;
    ready?: boolean;
    message?: string;
    conditions?: { type: string; status: string }[];
    linkedResources?: Record<string, string>;
  };
}

export interface Deployment extends Kind {
  spec: {
    replicas: number;
    template: { spec: { containers: { name: string; image: string; env?: { name: string; value?: string }[] }[] } };
  };
}

/** An object of the operator's kinds in the namespace `team`, as YAML takes it. */
export const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: "kaos.tools/v1alpha1", kind, metadata: { name, namespace: "team" }, spec });

export const conditions = ({ status }: Kind): Record<string, string> =>
  Object.fromEntries((status?.conditions ?? []).map(({ type, status: value }) => [type, value]));

/** Replaces one field, as a person with `kubectl edit` would. */
export async function edit(cluster: Cluster, kind: string, name: string, path: string, value: string): Promise<void> {
  const patch = JSON.stringify([{ op: "replace", path, value }]);
  await cluster.kubectl(["patch", kind, name, "-n", "team", "--type=json", `--patch=${patch}`]);
}

/** Does a kubelet's part: tells that the Deployment's pods are ready. */
export async function makeReady(cluster: Cluster, deployment: string): Promise<void> {
  const [app, name] = [deployment.slice(0, deployment.indexOf("-")), deployment.slice(deployment.indexOf("-") + 1)];
  const ready = JSON.stringify({ status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } });
  await until(`ready pods of ${deployment}`, async () => {
    const pods = await cluster.kubectl(["get", "pods", "-n", "team", "-l", `app=${app},${app}=${name}`, "-o", "name"]);
    for (const pod of pods.split("\n").filter(Boolean)) {
      await cluster
        .kubectl(["patch", pod, "-n", "team", "--subresource=status", "--type=merge", `--patch=${ready}`])
        .catch(gone);
    }
    const found = await cluster.kubectl([
      "get",
      "deployment",
      deployment,
      "-n",
      "team",
      "-o",
      "jsonpath={.status.readyReplicas}",
      "--ignore-not-found",
    ]);
    return Number(found) > 0;
  });
}

/** A rollout may take a pod away between the two calls. */
function gone(error: Error): void {
  if (!error.message.includes("NotFound")) throw error;
}
