// What must hold of every pod that the chart makes, whatever its values.

import { readFile } from "node:fs/promises";
import { type Kubernetes, startKubernetes } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CASES, CHART, type Manifest, manifestsOf, render } from "./support/chart.ts";

let kubernetes: Kubernetes;
beforeAll(async () => {
  kubernetes = await startKubernetes();
});
afterAll(() => kubernetes.stop());

const rendered = async (...flags: string[]): Promise<Manifest[]> => manifestsOf(await render(kubernetes, 4, flags));

const ofKind = (manifests: readonly Manifest[], kind: string): Manifest[] =>
  manifests.filter((each) => each.kind === kind);

const selects = (selector: Record<string, string> = {}, labels: Record<string, string> = {}): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

describe.each(["default", "everything"])("with values %s", (name) => {
  let manifests: Manifest[];
  let deployments: Manifest[];
  beforeAll(async () => {
    manifests = await rendered(...(CASES[name] ?? []));
    deployments = ofKind(manifests, "Deployment");
  });

  test("each Deployment finds its own pods and no other's", () => {
    expect(deployments.length).toBeGreaterThan(3);
    for (const { spec } of deployments) {
      const mine = deployments.filter((each) =>
        selects(spec?.selector?.matchLabels, each.spec?.template?.metadata.labels),
      );
      expect(mine).toHaveLength(1);
    }
  });

  test("every pod is under one network policy", () => {
    const policies = ofKind(manifests, "NetworkPolicy");
    for (const { metadata, spec } of [...deployments, ...ofKind(manifests, "Job")]) {
      const labels = spec?.template?.metadata.labels;
      const found = policies.filter((policy) => selects(policy.spec?.podSelector?.matchLabels, labels));
      expect([metadata.name, found.length]).toEqual([metadata.name, 1]);
    }
  });

  test("what runs more than once has a disruption budget, and what runs once has none", () => {
    const budgets = ofKind(manifests, "PodDisruptionBudget");
    for (const { metadata, spec } of deployments) {
      const found = budgets.filter((each) =>
        selects(each.spec?.selector?.matchLabels, spec?.template?.metadata.labels),
      );
      expect([metadata.name, found.length]).toEqual([metadata.name, (spec?.replicas ?? 0) > 1 ? 1 : 0]);
    }
  });

  test("every container has probes, requests and a limit of memory", () => {
    for (const { spec } of deployments) {
      for (const { livenessProbe, readinessProbe, resources } of spec?.template?.spec.containers ?? []) {
        expect(livenessProbe).toBeDefined();
        expect(readinessProbe).toBeDefined();
        expect(resources.requests).toBeDefined();
        expect(resources.limits?.memory).toBeDefined();
      }
    }
  });

  test("every account is the chart's, and only who asks the API server gets a token", () => {
    const accounts = ofKind(manifests, "ServiceAccount").map(({ metadata }) => metadata.name);
    const withToken: string[] = [];
    for (const { metadata, spec } of deployments) {
      const pod = spec?.template?.spec;
      expect(accounts).toContain(pod?.serviceAccountName);
      if (pod?.automountServiceAccountToken !== false) withToken.push(metadata.name);
    }
    expect(withToken.toSorted()).toEqual(
      name === "default" ? ["waybill-operator"] : ["waybill-oidc-proxy", "waybill-operator"],
    );
  });
});

describe("images", () => {
  const imagesOf = (manifests: readonly Manifest[]): Record<string, string> =>
    Object.fromEntries(
      ofKind(manifests, "Deployment").map(({ metadata, spec }) => [
        metadata.name,
        spec?.template?.spec.containers[0]?.image ?? "",
      ]),
    );

  test("are a repository and a tag", async () => {
    const flags = ["--set", "controllerManager.manager.image.repository=registry.example:5000/op"];
    const images = imagesOf(await rendered(...flags, "--set", "controllerManager.manager.image.tag=v1.0.0"));
    expect(images["waybill-operator"]).toBe("registry.example:5000/op:v1.0.0");
  });

  test("are pinned where there is a digest", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const images = imagesOf(await rendered("--set", `webhook.image.digest=${digest}`));
    expect(images["waybill-webhook"]).toMatch(new RegExp(`:[\\d.]+@${digest}$`));
  });

  test("that the operator starts reach it by its environment", async () => {
    const text = await render(kubernetes, 4, ["--set", "defaultImages.agentRuntime=registry.example/agent:v1.0.0"]);
    expect(text).toMatch(/- name: DEFAULT_AGENT_IMAGE\n +value: "registry\.example\/agent:v1\.0\.0"/);
  });
});

test("the operator has the rights that its own source asks for, and no others", async () => {
  const role = ofKind(await rendered(), "ClusterRole").find(({ metadata }) => metadata.name === "waybill-operator");
  const [asked] = manifestsOf(await readFile(`${CHART}../../images/operator/src/role.yaml`, "utf8"));
  const rights = (rules: Manifest["rules"] = []): string[] =>
    rules
      .flatMap(({ apiGroups, resources, verbs }) =>
        apiGroups.flatMap((group) => resources.flatMap((each) => verbs.map((verb) => `${verb} ${each}.${group}`))),
      )
      .toSorted();
  expect(rights(asked?.rules).length).toBeGreaterThan(10);
  expect(rights(role?.rules)).toEqual(rights(asked?.rules));
});

test("the webhook fails closed for our own kinds, and open for pods of namespaces that ask for it", async () => {
  const manifests = await rendered();
  const webhooks = manifests.flatMap((each) => each.webhooks ?? []);
  expect(webhooks.map(({ name, failurePolicy }) => [name, failurePolicy])).toEqual([
    ["mutate.kaos.tools", "Fail"],
    ["images.waybill.dev", "Ignore"],
    ["validate.kaos.tools", "Fail"],
  ]);
  const [, pods] = webhooks;
  expect(pods?.namespaceSelector).toEqual({ matchLabels: { "waybill.dev/rewrite-images": "enabled" } });
});
