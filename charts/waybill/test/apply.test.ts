// What both Helms render is taken by a real API server, object by object, in a namespace that enforces Pod Security "restricted"; and
// the controllers make pods of it.

import { type Kubernetes, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES, CERT_MANAGER_KINDS, CHART, NAMESPACE, manifestsOf, render } from "./support/chart.ts";

let kubernetes: Kubernetes;

beforeAll(async () => {
  kubernetes = await startKubernetes({ controllers: true });
  await makeNamespace(NAMESPACE, { "pod-security.kubernetes.io/enforce": "restricted" });
  await kubernetes.apply(CERT_MANAGER_KINDS);
  await kubernetes.apply(`${CHART}crds`);
  await kubernetes.kubectl(["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"]);
});
afterAll(() => kubernetes.stop());

async function makeNamespace(name: string, labels: Record<string, string>): Promise<void> {
  await kubernetes.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
  const account = `/api/v1/namespaces/${name}/serviceaccounts/default`;
  await until("a service account", async () => (await kubernetes.request(account)).status === 200);
}

const VERSIONS = [3, 4] as const;
const combinations = VERSIONS.flatMap((version) => Object.keys(CASES).map((name) => [version, name] as const));

test.each(combinations)("Helm %i, values %s: every object is taken", async (version, name) => {
  const text = await render(kubernetes, version, CASES[name] ?? []);
  const objects = manifestsOf(text).length;
  const taken = async (flags: string[]): Promise<number> =>
    (await kubernetes.apply(text, flags)).trim().split("\n").length;
  expect(objects).toBeGreaterThan(10);
  // As Helm does before it makes a hook again.
  const hooks = ["pod/waybill-test", "job/waybill-api-migration", "--ignore-not-found", "--now"];
  await kubernetes.kubectl(["delete", "-n", NAMESPACE, ...hooks]);
  expect(await taken(["--dry-run=server"])).toBe(objects);
  expect(await taken([])).toBe(objects);
});

test("both Helms render the same", async () => {
  // In an order of their own, and but for what is made anew each time: certificates.
  const sorted = (text: string): string[] =>
    manifestsOf(text)
      .map((each) => JSON.stringify(each))
      .toSorted();
  const stable = (text: string): string => text.replaceAll(/^( *(?:caBundle|ca\.crt|tls\.crt|tls\.key): ).+$/gm, "$1…");
  for (const flags of Object.values(CASES)) {
    const [three, four] = await Promise.all(VERSIONS.map((version) => render(kubernetes, version, flags)));
    expect(sorted(stable(four ?? ""))).toEqual(sorted(stable(three ?? "")));
  }
});

describe("of all that, applied afresh", () => {
  const namespace = "fresh";
  beforeAll(async () => {
    await makeNamespace(namespace, { "pod-security.kubernetes.io/enforce": "restricted" });
    await kubernetes.apply(await render(kubernetes, 4, CASES["everything"] ?? [], namespace));
  });

  interface Deployment {
    metadata: { name: string };
    spec: { replicas: number };
    status: { updatedReplicas?: number; conditions?: { type: string; message: string }[] };
  }

  const deployments = async (): Promise<Deployment[]> => {
    const answer = await kubernetes.request<{ items: Deployment[] }>(
      `/apis/apps/v1/namespaces/${namespace}/deployments`,
    );
    return answer.body.items;
  };

  test("Deployments get their pods: Pod Security refuses none", async () => {
    const all = await until("all pods", async () => {
      const found = await deployments();
      const conditions = found.flatMap(({ status }) => status.conditions ?? []);
      const refused = conditions.find(({ type }) => type === "ReplicaFailure");
      if (refused !== undefined) throw new Error(refused.message);
      return found.every(({ spec, status }) => (status.updatedReplicas ?? 0) === spec.replicas) && found;
    });
    expect(all.map(({ metadata }) => metadata.name).toSorted()).toEqual([
      "waybill-api",
      "waybill-ml",
      "waybill-oidc-proxy",
      "waybill-operator",
      "waybill-webhook",
    ]);
    const refused = all
      .flatMap(({ status }) => status.conditions ?? [])
      .filter(({ type }) => type === "ReplicaFailure");
    expect(refused).toEqual([]);
  });

  test("our own kinds are refused while no webhook can be asked, and pods are not", async () => {
    const agent = `{ apiVersion: kaos.tools/v1alpha1, kind: Agent, metadata: { name: a, namespace: default }, spec: { modelAPI: m } }`;
    await expect(kubernetes.apply(agent)).rejects.toThrow('failed calling webhook "mutate.kaos.tools"');
    await makeNamespace("rewritten", { "waybill.dev/rewrite-images": "enabled" });
    const pod =
      "{ apiVersion: v1, kind: Pod, metadata: { name: p, namespace: rewritten }, spec: { containers: [{ name: c, image: i }] } }";
    expect(await kubernetes.apply(pod)).toBe("pod/p serverside-applied\n");
  });
});
