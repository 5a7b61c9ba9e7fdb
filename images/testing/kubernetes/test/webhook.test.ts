// The API server calls a webhook that a test serves on 127.0.0.1.

import { createServer } from "node:https";
import type { IncomingMessage, Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Authority, type Kubernetes, startKubernetes } from "@waybill/testing";
import { afterAll, beforeAll, expect, test } from "vitest";

interface Review {
  request: { uid: string; object: { metadata: { name: string } } };
}

let kubernetes: Kubernetes;
let webhook: Server;

beforeAll(async () => {
  const authority = await Authority.create();
  webhook = createServer(await authority.issue("webhook"), async (request, response) => {
    const { uid, object } = (await jsonOf<Review>(request)).request;
    const allowed = object.metadata.name !== "forbidden";
    const answer = { uid, allowed, ...(allowed ? {} : { status: { message: "not that name" } }) };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer }));
  }).listen(0, "127.0.0.1");
  await once(webhook, "listening");
  kubernetes = await startKubernetes();
  await kubernetes.apply(JSON.stringify(configuration((webhook.address() as AddressInfo).port, authority.cert)));
});

afterAll(async () => {
  await kubernetes.stop();
  webhook.close();
});

async function jsonOf<T>(request: IncomingMessage): Promise<T> {
  return JSON.parse((await request.setEncoding("utf8").toArray()).join("")) as T;
}

const configuration = (port: number, ca: string) => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "ValidatingWebhookConfiguration",
  metadata: { name: "names" },
  webhooks: [
    {
      name: "names.example.com",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      failurePolicy: "Fail",
      clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(ca).toString("base64") },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] }],
    },
  ],
});

const configMap = (name: string): string => JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } });

test("its refusal reaches who asked", async () => {
  await expect(kubernetes.apply(configMap("forbidden"))).rejects.toThrow(
    'admission webhook "names.example.com" denied the request: not that name',
  );
});

test("what it allows is made", async () => {
  expect(await kubernetes.apply(configMap("allowed"))).toBe("configmap/allowed serverside-applied\n");
});
