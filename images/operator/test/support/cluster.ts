// A Kubernetes with the operator's CRDs, and the operator's account with the role that is generated from its source and no more.

import { mkdtemp, rm, writeFile, chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Kubernetes, type KubernetesNeeds, builtImage, startKubernetes } from "@waybill/testing";

const ROLE = fileURLToPath(new URL("../../src/role.yaml", import.meta.url));
export const SYSTEM = "kaos-system";

/** What `--leader-elect` and the account need beside the generated ClusterRole. */
const ACCOUNT = `
apiVersion: v1
kind: Namespace
metadata: { name: ${SYSTEM} }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: operator, namespace: ${SYSTEM} }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: kaos-operator }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kaos-operator }
subjects: [{ kind: ServiceAccount, name: operator, namespace: ${SYSTEM} }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: leader, namespace: ${SYSTEM} }
rules: [{ apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, create, update] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: leader, namespace: ${SYSTEM} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: leader }
subjects: [{ kind: ServiceAccount, name: operator, namespace: ${SYSTEM} }]
`;

/** A team's namespace: it takes restricted pods alone. */
const TEAM = `
apiVersion: v1
kind: Namespace
metadata: { name: team, labels: { pod-security.kubernetes.io/enforce: restricted } }
`;

export interface Cluster extends Kubernetes {
  /** A kubeconfig of the operator's account, readable by every user. */
  account: string;
  /** An object, or undefined where there is none. */
  get<T>(kind: string, name: string, namespace?: string): Promise<T | undefined>;
}

/** The CRDs are those that the image prints. */
export async function startCluster(needs: KubernetesNeeds = {}): Promise<Cluster> {
  const [kubernetes, image] = await Promise.all([startKubernetes(needs), builtImage("operator")]);
  const printed = await image.run({ args: ["crds"], network: "none" });
  if ((await printed.exited()).exitCode !== 0) throw new Error(printed.stderr);
  await kubernetes.apply(printed.stdout);
  await kubernetes.apply(ROLE);
  await kubernetes.apply(ACCOUNT);
  await kubernetes.apply(TEAM);
  await kubernetes.kubectl(["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"]);
  const folder = await mkdtemp(join(tmpdir(), "waybill-operator-"));
  const account = join(folder, "kubeconfig");
  const token = await kubernetes.kubectl(["create", "token", "operator", "-n", SYSTEM]);
  await writeFile(account, kubeconfig(kubernetes, token.trim()));
  await chmod(folder, 0o755);
  return {
    ...kubernetes,
    account,
    get: async <T>(kind: string, name: string, namespace = "team") => {
      const found = await kubernetes.kubectl(["get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found"]);
      return found === "" ? undefined : (JSON.parse(found) as T);
    },
    stop: async () => {
      await kubernetes.stop();
      await rm(folder, { recursive: true });
    },
  };
}

function kubeconfig({ server, ca }: Kubernetes, token: string): string {
  const cluster = { server, "certificate-authority-data": Buffer.from(ca).toString("base64") };
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster }],
    users: [{ name: "operator", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "operator" } }],
    "current-context": "test",
  });
}
