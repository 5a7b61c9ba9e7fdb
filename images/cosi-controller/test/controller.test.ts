// The image beside a real API server that has its CRDs: what a person asks for with a BucketClaim becomes a Bucket.

import { readFile } from "node:fs/promises";
import { programOf } from "@waybill/image";
import { type BuiltImage, type Container, type Kubernetes, builtImage, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let image: BuiltImage;
let kubernetes: Kubernetes;
let controller: Container;
beforeAll(async () => {
  image = await builtImage("cosi-controller");
  kubernetes = await startKubernetes();
  await kubernetes.apply(await readFile(await programOf("cosi-controller", "crds.yaml"), "utf8"));
  await kubernetes.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
  controller = await image.run({
    args: ["--v=3"],
    env: { KUBECONFIG: "/kubeconfig" },
    mounts: [{ source: kubernetes.kubeconfig, target: "/kubeconfig", readOnly: true }],
    user: process.getuid?.() === 0 ? "0:0" : `${process.getuid?.()}:${process.getgid?.()}`,
  });
}, 300_000);
afterAll(() => kubernetes.stop(), 60_000);

const CLASS = `apiVersion: objectstorage.k8s.io/v1alpha1
kind: BucketClass
metadata: { name: fast }
driverName: driver.example.com
deletionPolicy: Delete
parameters: { tier: ssd }`;

const CLAIM = `apiVersion: objectstorage.k8s.io/v1alpha1
kind: BucketClaim
metadata: { name: photos, namespace: default }
spec: { bucketClassName: fast, protocols: [s3] }`;

const API = "/apis/objectstorage.k8s.io/v1alpha1";

interface Bucket {
  metadata: { name: string; deletionTimestamp?: string };
  spec: Record<string, unknown>;
}

const buckets = async (): Promise<Bucket[]> =>
  // A kind that was made known a moment ago may not be served yet.
  (await kubernetes.request<{ items?: Bucket[] }>(`${API}/buckets`)).body.items ?? [];

describe("the cosi-controller image", { timeout: 180_000 }, () => {
  it("is one static program at upstream's path, for a user without rights", () => {
    expect(image.record.platforms[0]).toMatchObject({ user: "65532:65532", entrypoint: ["/controller"] });
  });

  it("becomes leader by a lease", async () => {
    const leases = await until("a lease", async () => {
      const { body } = await kubernetes.request<{ items: { metadata: { name: string } }[] }>(
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
      );
      return body.items.length > 0 && body.items;
    });
    expect(leases[0]?.metadata.name).toBe("leader-lock-cosi-controller-manager");
  });

  it("makes a Bucket of a BucketClaim and its class", async () => {
    await kubernetes.apply(CLASS);
    await kubernetes.apply(CLAIM);
    const [bucket] = await until("a bucket", async () => {
      const found = await buckets();
      return found.length > 0 && found;
    });
    expect(bucket?.spec).toMatchObject({
      driverName: "driver.example.com",
      deletionPolicy: "Delete",
      parameters: { tier: "ssd" },
      protocols: ["s3"],
      bucketClaim: { name: "photos", namespace: "default" },
    });
    await until("the claim to know its bucket", async () => {
      const { body } = await kubernetes.request<{ status?: { bucketName?: string } }>(
        `${API}/namespaces/default/bucketclaims/photos`,
      );
      return body.status?.bucketName === bucket?.metadata.name;
    });
  });

  it("tells in an event that a claim names no class", async () => {
    await kubernetes.apply(CLAIM.replace("photos", "lost").replace("fast", "none"));
    const event = await until("an event", async () => {
      const { body } = await kubernetes.request<{
        items: { involvedObject: { name: string }; message: string; type: string }[];
      }>("/api/v1/namespaces/default/events");
      return body.items.find(({ involvedObject }) => involvedObject.name === "lost");
    });
    expect(event).toMatchObject({ type: "Warning" });
  });

  it("asks for the Bucket's end when the claim is deleted", async () => {
    await kubernetes.kubectl(["delete", "bucketclaim", "photos", "--wait=false"]);
    await until("no bucket", async () =>
      (await buckets()).every(({ metadata }) => metadata.deletionTimestamp !== undefined),
    );
  });

  it("ends at SIGTERM", async () => {
    expect(await controller.stop("SIGTERM", 60_000)).toMatchObject({ signal: null });
  });
});
