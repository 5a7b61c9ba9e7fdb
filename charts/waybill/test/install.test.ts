// Install, upgrade and uninstall by both Helms, on a real API server.

import { type Kubernetes, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHART, NAMESPACE } from "./support/chart.ts";

let kubernetes: Kubernetes;
beforeAll(async () => {
  kubernetes = await startKubernetes({ controllers: true });
});
afterAll(() => kubernetes.stop());

describe.each([3, 4] as const)("Helm %i", (version) => {
  const namespace = `${NAMESPACE}-${version}`;
  const release = `waybill-${version}`;

  const helm = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubernetes.helm(version, [...args, "--namespace", namespace]);
    if (exitCode !== 0) throw new Error(stderr);
    return stdout;
  };
  const get = (what: string, path: string): Promise<string> =>
    kubernetes.kubectl(["get", ...what.split(" "), "-n", namespace, "-o", `jsonpath=${path}`]);

  const operatorImage = (): Promise<string> =>
    get(`deployment ${release}-operator`, "{.spec.template.spec.containers[0].image}");
  const certificate = (): Promise<string> => get(`secret ${release}-webhook-tls`, "{.data.tls\\.crt}");

  test("installs with another image", async () => {
    const image = ["--set", "controllerManager.manager.image.tag=v1.0.0"];
    await helm("install", release, CHART, "--create-namespace", ...image);
    expect(await operatorImage()).toBe("ghcr.io/acme/images/operator:v1.0.0");
  });

  test("has one CA in the webhook's Secret and in both configurations", async () => {
    const ca = await get(`secret ${release}-webhook-tls`, "{.data.ca\\.crt}");
    expect(Buffer.from(ca, "base64").toString()).toContain("BEGIN CERTIFICATE");
    for (const kind of ["mutatingwebhookconfiguration", "validatingwebhookconfiguration"]) {
      expect(await get(`${kind} ${release}-webhook`, "{.webhooks[0].clientConfig.caBundle}")).toBe(ca);
    }
  });

  test("upgrades, and keeps the webhook's certificate", async () => {
    const before = await certificate();
    await helm("upgrade", release, CHART, "--set", "controllerManager.manager.image.tag=v1.1.0");
    expect(await operatorImage()).toBe("ghcr.io/acme/images/operator:v1.1.0");
    expect(await certificate()).toBe(before);
  });

  test("migrates the database before anything else of an upgrade", async () => {
    await kubernetes.kubectl([
      "create",
      "secret",
      "generic",
      "db",
      "-n",
      namespace,
      "--from-literal=url=postgres://db/x",
    ]);
    const flags = ["--set", "api.database.existingSecret=db", "--set", "api.replicas=2", "--timeout", "120s"];
    const upgrade = helm("upgrade", release, CHART, ...flags);
    const job = `${release}-api-migration`;
    const path = `/api/v1/namespaces/${namespace}/pods?labelSelector=batch.kubernetes.io/job-name=${job}`;
    const pod = await until("the migration's pod", async () => {
      const { body } = await kubernetes.request<{ items: { metadata: { name: string } }[] }>(path);
      return body.items[0]?.metadata.name;
    });
    // It is still going on, and the release is as it was: PGlite, one replica.
    expect(await operatorImage()).toBe("ghcr.io/acme/images/operator:v1.1.0");
    expect(await get(`deployment ${release}-api`, "{.spec.replicas}")).toBe("1");
    await finish(namespace, pod);
    await upgrade;
    expect(await get(`deployment ${release}-api`, "{.spec.replicas}")).toBe("2");
  });

  test("uninstalls all but what holds data", async () => {
    await helm("uninstall", release);
    expect(await get("deployments,services,networkpolicies,secrets,roles", "{.items[*].metadata.name}")).not.toContain(
      release,
    );
    for (const kind of ["mutatingwebhookconfigurations", "validatingwebhookconfigurations", "clusterroles"]) {
      expect(await get(kind, "{.items[*].metadata.name}")).not.toContain(release);
    }
  });
});

/** What a kubelet would report of a pod that did its work. */
async function finish(namespace: string, pod: string): Promise<void> {
  const terminated = { exitCode: 0, reason: "Completed" };
  const containerStatuses = [
    { name: "migrate", image: "api", imageID: "", ready: false, restartCount: 0, state: { terminated } },
  ];
  const { status } = await kubernetes.request(`/api/v1/namespaces/${namespace}/pods/${pod}/status`, {
    method: "PATCH",
    contentType: "application/merge-patch+json",
    body: { status: { phase: "Succeeded", containerStatuses } },
  });
  expect(status).toBe(200);
}
