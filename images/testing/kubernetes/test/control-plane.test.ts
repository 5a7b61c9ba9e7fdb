// The control plane that other tests start: its programs are upstream's, they work with each other, and they go when they are told.

import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Kubernetes, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const GO_MOD = readFileSync(new URL("../src/go.mod", import.meta.url), "utf8");
const VERSION = /^\tk8s\.io\/kubernetes (v[\d.]+)$/m.exec(GO_MOD)?.[1];

const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: one }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx }] }
`;

describe("API server and etcd", () => {
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    kubernetes = await startKubernetes();
  });
  afterAll(() => kubernetes.stop());

  test("are of the version that go.mod names, and kubectl is", async () => {
    const { body } = await kubernetes.request<{ gitVersion: string }>("/version");
    expect(body.gitVersion).toBe(VERSION);
    const { clientVersion, serverVersion } = JSON.parse(await kubernetes.kubectl(["version", "-o", "json"]));
    expect([clientVersion.gitVersion, serverVersion.gitVersion]).toEqual([VERSION, VERSION]);
  });

  test("take objects and keep them", async () => {
    const said = await kubernetes.apply(
      "{ apiVersion: v1, kind: ConfigMap, metadata: { name: kept }, data: { a: b } }",
    );
    expect(said).toBe("configmap/kept serverside-applied\n");
    expect(await kubernetes.kubectl(["get", "configmap", "kept", "-o", "jsonpath={.data.a}"])).toBe("b");
  });

  test("take a pod, though no controller made a service account for it", async () => {
    const pod = "{ apiVersion: v1, kind: Pod, metadata: { name: p }, spec: { containers: [{ name: c, image: i }] } }";
    expect(await kubernetes.apply(pod)).toBe("pod/p serverside-applied\n");
  });

  test("refuse an object that breaks its schema, in the API server's words", async () => {
    const wrong = "{ apiVersion: v1, kind: Service, metadata: { name: w }, spec: { ports: [{ port: 70000 }] } }";
    await expect(kubernetes.apply(wrong)).rejects.toThrow("must be between 1 and 65535");
  });

  test("let nobody in who is not known", async () => {
    const { status } = await fetch(`${kubernetes.server}/api`).catch((error: Error) => ({ status: error.cause }));
    expect(status).toMatchObject({ code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  });
});

describe("with controllers", () => {
  let kubernetes: Kubernetes;
  beforeAll(async () => {
    kubernetes = await startKubernetes({ controllers: true });
    await kubernetes.apply("{ apiVersion: v1, kind: Namespace, metadata: { name: one } }");
  });
  afterAll(() => kubernetes.stop());

  const pods = async (): Promise<string[]> =>
    (await kubernetes.kubectl(["get", "pods", "-n", "one", "-o", "name"])).split("\n").filter(Boolean);

  test("a Deployment makes pods, which wait for a node", async () => {
    await kubernetes.apply(DEPLOYMENT);
    await until("two pods", async () => (await pods()).length === 2);
    const waiting = ["wait", "pods", "--all", "-n", "one", "--for=condition=PodScheduled=false", "--timeout=60s"];
    expect(await kubernetes.kubectl(waiting)).toContain("condition met");
  });

  test("what a deleted object owned is collected", async () => {
    await kubernetes.kubectl(["delete", "deployment", "web", "-n", "one"]);
    await until("no pods", async () => (await pods()).length === 0);
  });

  test("a namespace ends with all that is in it", async () => {
    await kubernetes.kubectl(["delete", "namespace", "one", "--timeout=60s"]);
    expect((await kubernetes.request("/api/v1/namespaces/one")).status).toBe(404);
  });
});

test("a stopped control plane answers no more and leaves no files", async () => {
  const kubernetes = await startKubernetes();
  const folder = dirname(kubernetes.kubeconfig);
  expect(existsSync(folder)).toBe(true);
  await kubernetes.stop();
  await expect(kubernetes.request("/readyz")).rejects.toThrow("ECONNREFUSED");
  expect(existsSync(folder)).toBe(false);
});
