// A real Kubernetes for a test: etcd, kube-apiserver and, where asked for, the controllers and the scheduler, on free ports of
// 127.0.0.1, with certificates and data in a folder that goes away with it. The programs are those of images/testing/kubernetes.

import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf } from "@waybill/image";
import { type RunResult, run } from "@waybill/oci";
import { freePort } from "./free-port.ts";
import { ApiClient, type Ask, type Answer } from "./kubernetes/client.ts";
import type { Component } from "./kubernetes/component.ts";
import { type ClusterFiles, kubeconfig, writeClusterFiles } from "./kubernetes/files.ts";
import { startControllers, startServers } from "./kubernetes/start.ts";
import { until } from "./until.ts";

const START_LIMIT_MS = 150_000;

export interface KubernetesNeeds {
  /** kube-controller-manager and kube-scheduler: garbage collection, namespaces that end, Deployments that make Pods. Default false. */
  controllers?: boolean;
}

export interface Kubernetes {
  /** "https://127.0.0.1:40123" */
  server: string;
  /** The cluster's CA, PEM. */
  ca: string;
  /** Path of the administrator's kubeconfig, for programs. */
  kubeconfig: string;
  /** One request as the administrator. */
  request<T>(path: string, ask?: Ask): Promise<Answer<T>>;
  /** kubectl as the administrator. @throws {Error} it failed: all that it said */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Server-side apply of YAML text, or of the files of a path. @returns what kubectl said */
  apply(yamlOrPath: string, flags?: readonly string[]): Promise<string>;
  /** Path of a kubeconfig with a token of that service account, good for an hour: for what a program's own rights allow. */
  kubeconfigOf(namespace: string, serviceAccount: string): Promise<string>;
  /** Helm 3 or 4 as the administrator; never throws. */
  helm(version: 3 | 4, args: readonly string[]): Promise<RunResult>;
  /** The last lines a program printed: "kube-apiserver". */
  log(name: string): string;
  /** Ends all of it and deletes its data. */
  stop(): Promise<void>;
}

/** Starts a control plane and waits until it answers. The caller stops it. */
export async function startKubernetes({ controllers = false }: KubernetesNeeds = {}): Promise<Kubernetes> {
  const program = await programOf("kubernetes", "usr/local/bin/kubernetes");
  const folder = await mkdtemp(join(tmpdir(), "waybill-kubernetes-"));
  const ports = { etcd: await freePort(), api: await freePort() };
  const server = `https://127.0.0.1:${ports.api}`;
  const files = await writeClusterFiles(folder, server);
  const client = new ApiClient(server, files.authority.cert, files.admin);
  const plan = { program, files, ports, controllers };
  const components = await startServers(plan);
  const stop = async (): Promise<void> => {
    client.close();
    // Who needs others ends before them.
    for (const component of components.toReversed()) await component.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(components, "/readyz", client);
    if (controllers) {
      components.push(...startControllers(plan));
      // Made by a controller, so they all run.
      await ready(components, "/api/v1/namespaces/default/serviceaccounts/default", client);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    server,
    ca: files.authority.cert,
    stop,
    ...commands(program, server, files, client),
    log: logOf(components),
  };
}

async function ready(components: readonly Component[], path: string, client: ApiClient): Promise<void> {
  const answers = async (): Promise<boolean> => {
    for (const component of components) component.throwIfEnded();
    const { status } = await client.request(path).catch(() => ({ status: 0 }));
    return status === 200;
  };
  await until(`${path} of the test's Kubernetes`, answers, START_LIMIT_MS).catch((cause: unknown) => {
    const logs = components.map(({ name, log }) => `--- ${name}\n${log}`).join("\n");
    throw new Error(`${String(cause)}\n${logs}`, { cause });
  });
}

type Commands = Pick<Kubernetes, "kubeconfig" | "request" | "kubectl" | "apply" | "kubeconfigOf" | "helm">;

function commands(program: string, server: string, files: ClusterFiles, client: ApiClient): Commands {
  const admin = files.path("admin.kubeconfig");
  // Nothing of the user's own settings, and no caches outside the folder.
  const env = { KUBECONFIG: admin, HOME: files.folder, KUBERC: "off", XDG_CACHE_HOME: files.path("cache") };
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(program, ["kubectl", ...args], { env, input });
    if (exitCode !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr.trim()}`);
    return stdout;
  };
  return {
    kubeconfig: admin,
    request: (path, ask) => client.request(path, ask),
    kubectl,
    apply: (yamlOrPath, flags = []) => {
      const isPath = existsSync(yamlOrPath);
      const args = ["apply", "--server-side", "--force-conflicts", ...flags, "-f", isPath ? yamlOrPath : "-"];
      return kubectl(args, isPath ? undefined : yamlOrPath);
    },
    kubeconfigOf: async (namespace, serviceAccount) => {
      const token = await kubectl(["create", "token", serviceAccount, "-n", namespace]);
      const file = files.path(`${namespace}.${serviceAccount}.kubeconfig`);
      await writeFile(file, kubeconfig(server, files.authority.cert, { token: token.trim() }), { mode: 0o644 });
      return file;
    },
    helm: async (version, args) => run(await programOf("kubernetes", `usr/local/bin/helm${version}`), args, { env }),
  };
}

function logOf(components: readonly Component[]): (name: string) => string {
  return (name) => components.find((component) => component.name === name)?.log ?? "";
}
