// Which programs a control plane is made of, in the order they need each other, and how each is told to run on this machine alone.

import { mkdir } from "node:fs/promises";
import { Component } from "./component.ts";
import type { ClusterFiles } from "./files.ts";

/** What a control plane is made with. */
export interface Plan {
  /** The binary that holds all of Kubernetes: its first argument is the program's name. */
  program: string;
  files: ClusterFiles;
  ports: { etcd: number; api: number };
  controllers: boolean;
}

/** etcd and the API server. Nothing reaches the disk: a test's cluster ends with the test. */
export async function startServers({ program, files, ports, controllers }: Plan): Promise<Component[]> {
  const data = files.path("etcd");
  await mkdir(data, { mode: 0o700 });
  const etcd = `http://127.0.0.1:${ports.etcd}`;
  const start = starter(program);
  return [
    start("etcd", [
      `--data-dir=${data}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      "--listen-peer-urls=http://127.0.0.1:0",
      "--unsafe-no-fsync",
      "--log-level=warn",
    ]),
    start("kube-apiserver", [
      `--etcd-servers=${etcd}`,
      "--bind-address=127.0.0.1",
      // The Service `kubernetes` can't lead to a loopback address, and without a node nobody follows it.
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--secure-port=${ports.api}`,
      `--tls-cert-file=${files.path("server.crt")}`,
      `--tls-private-key-file=${files.path("server.key")}`,
      `--client-ca-file=${files.path("ca.crt")}`,
      "--authorization-mode=Node,RBAC",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${files.path("tokens.pub")}`,
      `--service-account-signing-key-file=${files.path("tokens.key")}`,
      "--allow-privileged",
      // Without controllers nobody makes the service account that every pod would have to name.
      ...(controllers ? [] : ["--disable-admission-plugins=ServiceAccount"]),
    ]),
  ];
}

/** What makes Deployments into ReplicaSets and those into Pods, collects garbage, ends namespaces, and chooses nodes. */
export function startControllers({ program, files }: Plan): Component[] {
  const start = starter(program);
  return [
    start("kube-controller-manager", [
      `--kubeconfig=${files.path("controllers.kubeconfig")}`,
      "--secure-port=0",
      "--leader-elect=false",
      "--use-service-account-credentials",
      `--root-ca-file=${files.path("ca.crt")}`,
      `--service-account-private-key-file=${files.path("tokens.key")}`,
      `--cluster-signing-cert-file=${files.path("ca.crt")}`,
      `--cluster-signing-key-file=${files.path("ca.key")}`,
    ]),
    start("kube-scheduler", [
      `--kubeconfig=${files.path("scheduler.kubeconfig")}`,
      "--secure-port=0",
      "--leader-elect=false",
    ]),
  ];
}

const starter =
  (program: string) =>
  (name: string, args: readonly string[]): Component =>
    new Component(name, program, [name, ...args]);
