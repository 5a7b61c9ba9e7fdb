// Both Helms, on a chart of three lines and a real API server.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Kubernetes, startKubernetes } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let kubernetes: Kubernetes;
let chart: string;
let goMod: string;

beforeAll(async () => {
  kubernetes = await startKubernetes();
  goMod = await readFile(new URL("../src/go.mod", import.meta.url), "utf8");
  chart = await mkdtemp(join(tmpdir(), "waybill-chart-"));
  await mkdir(join(chart, "templates"));
  await writeFile(join(chart, "Chart.yaml"), "apiVersion: v2\nname: small\nversion: 0.1.0\n");
  await writeFile(
    join(chart, "templates/map.yaml"),
    "{ apiVersion: v1, kind: ConfigMap, metadata: { name: {{ .Release.Name }} }, data: { version: {{ .Capabilities.KubeVersion }} } }\n",
  );
});

afterAll(async () => {
  await kubernetes.stop();
  await rm(chart, { recursive: true });
});

describe.each([3, 4] as const)("Helm %i", (version) => {
  const helm = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await kubernetes.helm(version, args);
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    return stdout;
  };

  test("is of the version that go.mod names", async () => {
    const wanted = new RegExp(`helm.sh/helm/v${version} (v[\\d.]+)`).exec(goMod)?.[1];
    expect(await helm("version", "--template={{ .Version }}")).toBe(wanted);
  });

  test("without a cluster takes the Kubernetes that it is made for", async () => {
    const minor = /^\tk8s\.io\/kubernetes (v1\.\d+)\./m.exec(goMod)?.[1];
    expect(await helm("template", "one", chart)).toContain(`version: ${minor}.`);
  });

  test("installs and uninstalls", async () => {
    await helm("install", `release-${version}`, chart);
    const stored = ["get", "configmap", `release-${version}`, "-o", "jsonpath={.data.version}"];
    expect(await kubernetes.kubectl(stored)).toMatch(/^v1\.\d+\.\d+$/);
    await helm("uninstall", `release-${version}`);
    await expect(kubernetes.kubectl(stored)).rejects.toThrow("not found");
  });
});
