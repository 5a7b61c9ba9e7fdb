// The chart as its tests handle it: where it is, the sets of values it is tried with, what Helm makes of them.

import { fileURLToPath } from "node:url";
import type { Kubernetes } from "@waybill/testing";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../..", import.meta.url));
export const NAMESPACE = "waybill-system";

/** Beside the chart's own values. */
export const CASES: Record<string, string[]> = {
  default: [],
  everything: ["--values", `${CHART}ci/everything-values.yaml`],
  secret: ["--values", `${CHART}ci/secret-values.yaml`],
};

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: {
    replicas?: number;
    selector?: { matchLabels?: Record<string, string> };
    podSelector?: { matchLabels: Record<string, string> };
    template?: { metadata: { labels: Record<string, string> }; spec: PodSpec };
  };
  webhooks?: { name: string; failurePolicy: string; namespaceSelector?: object; clientConfig: { caBundle?: string } }[];
  rules?: { apiGroups: string[]; resources: string[]; verbs: string[] }[];
}

interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken: boolean;
  containers: {
    name: string;
    image: string;
    args?: string[];
    livenessProbe?: object;
    readinessProbe?: object;
    resources: { requests?: object; limits?: { memory?: string } };
  }[];
}

/** As the cluster would get it. */
export async function render(
  kubernetes: Kubernetes,
  version: 3 | 4,
  flags: readonly string[],
  namespace = NAMESPACE,
): Promise<string> {
  const { body } = await kubernetes.request<{ gitVersion: string }>("/version");
  const args = ["template", "waybill", CHART, "--namespace", namespace, "--kube-version", body.gitVersion, ...flags];
  const { exitCode, stdout, stderr } = await kubernetes.helm(version, args);
  if (exitCode !== 0) throw new Error(stderr);
  return stdout;
}

/** Helm 3 leaves documents that hold a comment alone. */
export const manifestsOf = (text: string): Manifest[] =>
  parseAllDocuments(text).flatMap((document) => (document.toJS() as Manifest | null) ?? []);

/** cert-manager's kinds, as far as an API server must know them to take the chart's. */
export const CERT_MANAGER_KINDS = ["Certificate", "Issuer"]
  .map((kind) =>
    JSON.stringify({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: `${kind.toLowerCase()}s.cert-manager.io` },
      spec: {
        group: "cert-manager.io",
        scope: "Namespaced",
        names: { kind, plural: `${kind.toLowerCase()}s` },
        versions: [
          {
            name: "v1",
            served: true,
            storage: true,
            schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
          },
        ],
      },
    }),
  )
  .join("\n---\n");
