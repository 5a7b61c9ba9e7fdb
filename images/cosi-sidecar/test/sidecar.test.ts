// The image between a real API server that has its CRDs and a driver on a UNIX socket.

import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programOf } from "@waybill/image";
import { type BuiltImage, type Container, type Kubernetes, builtImage, startKubernetes, until } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Driver, startDriver } from "./support/driver.ts";

let image: BuiltImage;
let kubernetes: Kubernetes;
let folder: string;
let driver: Driver;
let sidecar: Container;
beforeAll(async () => {
  image = await builtImage("cosi-sidecar");
  kubernetes = await startKubernetes();
  await kubernetes.apply(await readFile(await programOf("cosi-sidecar", "crds.yaml"), "utf8"));
  await kubernetes.kubectl(["wait", "--for=condition=Established", "--timeout=60s", "crd", "--all"]);
  folder = await mkdtemp(join(tmpdir(), "waybill-cosi-"));
  await chmod(folder, 0o777);
  // Containers of a pod start in any order: the sidecar waits for its driver.
  sidecar = await image.run({
    args: ["--v=3"],
    env: { KUBECONFIG: "/kubeconfig" },
    mounts: [
      { source: kubernetes.kubeconfig, target: "/kubeconfig", readOnly: true },
      { source: folder, target: "/var/lib/cosi" },
    ],
    user: process.getuid?.() === 0 ? "0:0" : `${process.getuid?.()}:${process.getgid?.()}`,
  });
  driver = await startDriver(join(folder, "cosi.sock"));
}, 300_000);
afterAll(async () => {
  await sidecar.stop("SIGKILL");
  await driver.stop();
  await kubernetes.stop();
  await rm(folder, { recursive: true });
}, 60_000);

const bucket = (name: string, driverName: string): string => `apiVersion: objectstorage.k8s.io/v1alpha1
kind: Bucket
metadata: { name: ${name} }
spec: { driverName: ${driverName}, bucketClassName: fast, bucketClaim: { name: photos, namespace: default }, deletionPolicy: Delete, protocols: [s3], existingBucketID: "" }`;

const CLAIM = `apiVersion: objectstorage.k8s.io/v1alpha1
kind: BucketClaim
metadata: { name: photos, namespace: default }
spec: { bucketClassName: fast, protocols: [s3] }`;

const ACCESS = `apiVersion: objectstorage.k8s.io/v1alpha1
kind: BucketAccessClass
metadata: { name: keys }
driverName: driver.example.com
authenticationType: KEY
---
apiVersion: objectstorage.k8s.io/v1alpha1
kind: BucketAccess
metadata: { name: reader, namespace: default }
spec: { bucketClaimName: photos, bucketAccessClassName: keys, credentialsSecretName: credentials, protocol: s3 }`;

interface Bucket {
  metadata: { finalizers?: string[] };
  status?: { bucketID?: string; bucketReady?: boolean };
}

const API = "/apis/objectstorage.k8s.io/v1alpha1";
const CLAIM_PATH = `${API}/namespaces/default/bucketclaims/photos`;
const ACCESS_PATH = `${API}/namespaces/default/bucketaccesses/reader`;
const SECRET_PATH = "/api/v1/namespaces/default/secrets/credentials";

const ask = (name: string): Promise<{ status: number; body: Bucket }> =>
  kubernetes.request<Bucket>(`${API}/buckets/${name}`);

const gone = (what: string, path: string): Promise<unknown> =>
  until(`${what} to be gone`, async () => (await kubernetes.request(path)).status === 404);

describe("the cosi-sidecar image", { timeout: 180_000 }, () => {
  it("is one static program at upstream's path, for a user without rights", () => {
    expect(image.record.platforms[0]).toMatchObject({ user: "65532:65532", entrypoint: ["/objectstorage-sidecar"] });
  });

  it("asks its driver's name and leads for it", async () => {
    await sidecar.logged(/Successfully connected to driver" name="driver\.example\.com"/, 60_000);
    await until("a lease", async () => {
      const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/driver-example-com-cosi";
      return (await kubernetes.request(path)).status === 200;
    });
  });

  it("has the driver make a Bucket that is for it, and no other", async () => {
    await kubernetes.apply(CLAIM);
    // The controller, which isn't here, writes the bucket's name into the claim.
    const status = JSON.stringify({ status: { bucketName: "ours", bucketReady: false } });
    await kubernetes.kubectl(["patch", "bucketclaim", "photos", "--subresource=status", "--type=merge", "-p", status]);
    await kubernetes.apply(bucket("theirs", "other.example.com"));
    await kubernetes.apply(bucket("ours", "driver.example.com"));
    const { body } = await until("the bucket to be ready", async () => {
      const found = await ask("ours");
      return found.body.status?.bucketReady === true && found;
    });
    expect(body.status).toEqual({ bucketID: "id-of-ours", bucketReady: true });
    expect(body.metadata.finalizers).toEqual(["cosi.objectstorage.k8s.io/bucket-protection"]);
    expect(driver.created).not.toContain("theirs");
    const claim = await kubernetes.request<Bucket>(CLAIM_PATH);
    expect(claim.body.status).toMatchObject({ bucketReady: true });
  });

  it("has the driver grant an access, and keeps what it answers in a Secret", async () => {
    await kubernetes.apply(ACCESS);
    const { body } = await until("the access", async () => {
      const found = await kubernetes.request<{ status?: { accessGranted?: boolean; accountID?: string } }>(ACCESS_PATH);
      return found.body.status?.accessGranted === true && found;
    });
    expect(body.status).toEqual({ accessGranted: true, accountID: "account" });
    const { data } = (await kubernetes.request<{ data: { BucketInfo: string } }>(SECRET_PATH)).body;
    const { spec } = JSON.parse(Buffer.from(data.BucketInfo, "base64").toString()) as { spec: object };
    expect(spec).toMatchObject({
      bucketName: "ours",
      secretS3: { endpoint: "http://rgw.example", region: "here", accessKeyID: "key", accessSecretKey: "secret" },
    });
  });

  it("has the driver take an access back that is deleted; the Secret goes with it", async () => {
    await kubernetes.kubectl(["delete", "bucketaccess", "reader", "--wait=false"]);
    await gone("the access", ACCESS_PATH);
    await gone("the secret", SECRET_PATH);
    expect(driver.revoked).toContain("id-of-ours account");
  });

  it("has the driver delete what is deleted, and lets it go", async () => {
    await kubernetes.kubectl(["delete", "bucket", "ours", "--wait=false"]);
    await gone("the bucket", `${API}/buckets/ours`);
    expect(driver.deleted).toEqual(["id-of-ours"]);
    expect((await ask("theirs")).status).toBe(200);
  });

  it("says that a driver is reached by a UNIX socket only", async () => {
    const wrong = await image.run({ args: ["--driver-addr=http://127.0.0.1:1"] });
    await wrong.exited();
    expect(wrong.stderr).toContain("Address must be a unix domain socket");
  });
});
