// The API server asks the webhook: about the kinds always, about pods where the namespace wants it.

import { fileURLToPath } from "node:url";
import { type Kubernetes, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Webhook } from "./support/webhook.ts";

const CRDS = fileURLToPath(new URL("../../shared/kaos/crds", import.meta.url));
const NGINX = `sha256:${"a".repeat(64)}`;
const RULES = `
mirrors: [{ from: docker.io, to: mirror.test/hub }]
digests: { "nginx:1.29": "${NGINX}" }
`;

let kubernetes: Kubernetes;
let webhook: Webhook;
beforeAll(async () => {
  [kubernetes, webhook] = await Promise.all([startKubernetes(), Webhook.start(RULES)]);
  await kubernetes.apply(CRDS);
  await kubernetes.kubectl(["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"]);
  for (const [name, labels] of [
    ["team", {}],
    ["mirrored", { "waybill.dev/rewrite-images": "enabled" }],
  ] as const) {
    await kubernetes.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
  }
  for (const each of configurations()) await kubernetes.apply(JSON.stringify(each));
  // The API server sees a new configuration after a while.
  await until("the webhook to be asked", () =>
    kubernetes
      .kubectl(["create", "--dry-run=server", "-f", "-"], modelApi("probe", { proxyConfig: { models: ["*"] } }))
      .then(
        () => true,
        () => false,
      ),
  );
  await until("the webhook to refuse", () =>
    kubernetes
      .kubectl(["create", "--dry-run=server", "-f", "-"], object("Agent", "probe", { ...AGENT, podSpec: { x: 1 } }))
      .then(
        () => false,
        () => true,
      ),
  );
  await until(
    "pods to be rewritten",
    async () => (await imagesOf("mirrored", { containers: ["a/b"] })).spec[0] !== "a/b",
  );
});
afterAll(async () => {
  await kubernetes.stop();
});

/** As the chart has them. */
function configurations(): object[] {
  const ours = {
    apiGroups: ["kaos.tools"],
    apiVersions: ["v1alpha1"],
    resources: ["agents", "mcpservers", "modelapis"],
    operations: ["CREATE", "UPDATE"],
  };
  const common = { admissionReviewVersions: ["v1"], sideEffects: "None", timeoutSeconds: 10 };
  const group = "admissionregistration.k8s.io/v1";
  return [
    {
      apiVersion: group,
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "waybill" },
      webhooks: [
        {
          ...common,
          name: "default.kaos.tools",
          failurePolicy: "Fail",
          clientConfig: webhook.clientConfig("/mutate/kaos"),
          rules: [ours],
        },
        {
          ...common,
          name: "images.waybill.dev",
          failurePolicy: "Ignore",
          clientConfig: webhook.clientConfig("/mutate/pods"),
          namespaceSelector: { matchLabels: { "waybill.dev/rewrite-images": "enabled" } },
          rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        },
      ],
    },
    {
      apiVersion: group,
      kind: "ValidatingWebhookConfiguration",
      metadata: { name: "waybill" },
      webhooks: [
        {
          ...common,
          name: "validate.kaos.tools",
          failurePolicy: "Fail",
          clientConfig: webhook.clientConfig("/validate/kaos"),
          rules: [ours],
        },
      ],
    },
  ];
}

const AGENT = { modelAPI: "gpt", model: "gpt-4o" };
const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: "kaos.tools/v1alpha1", kind, metadata: { name, namespace: "team" }, spec });
const modelApi = (name: string, spec: object): string => object("ModelAPI", name, spec);

interface Images {
  spec: string[];
  written: string | undefined;
}

/** What a pod would have, were it made. */
async function imagesOf(
  namespace: string,
  { containers, init = [] }: { containers: string[]; init?: string[] },
): Promise<Images> {
  const list = (images: string[], prefix: string): object[] =>
    images.map((image, index) => ({ name: prefix + index, image }));
  const spec = { initContainers: list(init, "i"), containers: list(containers, "c") };
  const pod = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace }, spec });
  const made = JSON.parse(await kubernetes.kubectl(["create", "--dry-run=server", "-o", "json", "-f", "-"], pod)) as {
    metadata: { annotations?: Record<string, string> };
    spec: Record<"containers" | "initContainers", { image: string }[]>;
  };
  const all = [...(made.spec.initContainers ?? []), ...made.spec.containers];
  return { spec: all.map(({ image }) => image), written: made.metadata.annotations?.["waybill.dev/images-as-written"] };
}

describe("the kinds", () => {
  test("get the mode and the runtime that follow from the rest", async () => {
    const mode = await kubernetes.kubectl(
      ["create", "-o", "jsonpath={.spec.mode}", "-f", "-"],
      modelApi("m", { hostedConfig: { model: "x" } }),
    );
    expect(mode).toBe("Hosted");
    const server = object("MCPServer", "s", { params: "def f(): pass" });
    expect(await kubernetes.kubectl(["create", "-o", "jsonpath={.spec.runtime}", "-f", "-"], server)).toBe(
      "python-string",
    );
  });

  test.each([
    ["a podSpec with a typo", "Agent", { ...AGENT, podSpec: { contaners: [] } }, 'unknown field "contaners"'],
    [
      "a container without an image",
      "Agent",
      { ...AGENT, podSpec: { containers: [{ name: "side" }] } },
      'container "side" has no image',
    ],
    ["python-string without source", "MCPServer", { runtime: "python-string" }, "spec.params: Required"],
    [
      "a configuration with models of its own",
      "ModelAPI",
      { proxyConfig: { models: ["a"], configYaml: { fromString: "model_list: [{ model_name: b }]" } } },
      'model_name "b" is not in models',
    ],
  ])("%s is refused", async (_what, kind, spec, reason) => {
    await expect(kubernetes.kubectl(["create", "-f", "-"], object(kind, "bad", spec))).rejects.toThrow(reason);
  });

  test("are refused on update too", async () => {
    await kubernetes.apply(object("Agent", "good", AGENT));
    const worse = object("Agent", "good", { ...AGENT, podSpec: { replicas: 2 } });
    await expect(kubernetes.apply(worse)).rejects.toThrow("denied the request: spec.podSpec");
  });
});

describe("pods", () => {
  test("get mirror and digest where the namespace wants it, and keep what was written", async () => {
    const { spec, written } = await imagesOf("mirrored", {
      init: ["busybox"],
      containers: ["nginx:1.29", "quay.io/x:1"],
    });
    expect(spec).toEqual([
      "mirror.test/hub/library/busybox",
      `mirror.test/hub/library/nginx:1.29@${NGINX}`,
      "quay.io/x:1",
    ]);
    expect(JSON.parse(written ?? "")).toEqual({ i0: "busybox", c0: "nginx:1.29" });
  });

  test("stay as they are elsewhere", async () => {
    expect(await imagesOf("team", { containers: ["nginx:1.29"] })).toEqual({
      spec: ["nginx:1.29"],
      written: undefined,
    });
  });

  test("follow rules that change, and keep to the last good ones", async () => {
    await webhook.put("images.yaml", "mirrors: [{ from: docker.io, to: other.test }]");
    await until(
      "the new mirror",
      async () => (await imagesOf("mirrored", { containers: ["x/y"] })).spec[0] === "other.test/x/y",
    );
    await webhook.put("images.yaml", "mirrors: 7");
    await until("a word about it", async () => {
      expect((await imagesOf("mirrored", { containers: ["x/y"] })).spec).toEqual(["other.test/x/y"]);
      return webhook.container.stderr.includes("can't be read");
    });
  });
});

test("stopped, it keeps the kinds out and lets pods in", async () => {
  expect(await webhook.stop()).toMatchObject({ exitCode: 0 });
  await expect(kubernetes.apply(object("Agent", "late", AGENT))).rejects.toThrow("failed calling webhook");
  expect((await imagesOf("mirrored", { containers: ["x/y"] })).spec).toEqual(["x/y"]);
});
