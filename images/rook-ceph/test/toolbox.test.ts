// The image as toolbox of a cluster that runs from it: Rook's script finds the cluster, s5cmd its objects.

import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltImage, builtImage, freePort } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "../../ceph/test/support/cluster.ts";

let image: BuiltImage;
beforeAll(async () => {
  image = await builtImage("rook-ceph");
}, 300_000);

async function sh(script: string): Promise<{ exitCode: number; lines: string[]; stderr: string }> {
  const container = await image.run({ entrypoint: "bash", args: ["-euc", script], tmpfs: ["/tmp"] });
  const { exitCode } = await container.exited();
  return { exitCode, lines: container.stdout.trim().split("\n"), stderr: container.stderr };
}

describe("the rook-ceph image", { timeout: 120_000 }, () => {
  it("runs as rook, 2016, with Rook's scripts, s5cmd and ip; and has no rook, which it doesn't pretend to be", async () => {
    expect(image.record.platforms[0]).toMatchObject({ user: "2016:2016", entrypoint: ["/usr/local/bin/toolbox.sh"] });
    const { lines, stderr } = await sh(`id; s5cmd version; ceph --version; ip -V; command -v set-ceph-debug-level
      python3 -m py_compile /etc/rook-external/create-external-cluster-resources.py 2>&1 | grep -c SyntaxError || true
      command -v rook || echo no rook`);
    expect(lines, stderr).toEqual([
      "uid=2016(rook) gid=2016(rook) groups=2016(rook)",
      expect.stringMatching(/^v2\.3\.0-waybill$/),
      expect.stringMatching(/^ceph version 18\.2\./),
      expect.stringMatching(/^ip utility, iproute2-/),
      "/usr/local/bin/set-ceph-debug-level",
      "0",
      "no rook",
    ]);
  });

  it("has nothing setuid, and a record of every package whose files match it", async () => {
    const { lines } = await sh(`find / -xdev -type f -perm /6000 2> /dev/null || true
      cd / && cat var/lib/dpkg/status.d/{iproute2,libbpf1,libmnl0,libxtables12}.md5sums | md5sum --check --quiet && echo sums match`);
    expect(lines).toEqual(["sums match"]);
  });

  it("writes ceph.conf from what the operator mounts", async () => {
    const folder = await mkdtemp(join(tmpdir(), "waybill-rook-"));
    await chmod(folder, 0o755);
    const config = join(folder, "config");
    await mkdir(config);
    await chmod(config, 0o777);
    await writeFile(join(folder, "mon-endpoints"), "a=10.0.0.1:6789,b-2=10.0.0.2:6789");
    const container = await image.run({
      args: ["--skip-watch"],
      env: { ROOK_CEPH_USERNAME: "client.admin", ROOK_CEPH_SECRET: "c2VjcmV0" },
      mounts: [
        { source: folder, target: "/etc/rook", readOnly: true },
        { source: config, target: "/etc/ceph" },
      ],
    });
    const { exitCode } = await container.exited();
    expect({ exitCode, stderr: container.stderr }).toEqual({ exitCode: 0, stderr: "" });
    const written = await readFile(join(config, "ceph.conf"), "utf8");
    expect(written).toContain("mon_host = 10.0.0.1:6789,10.0.0.2:6789\n");
    await rm(folder, { recursive: true });
  });
});

describe("s5cmd and a gateway", { timeout: 300_000 }, () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start(image);
    await cluster.osd(2);
  }, 600_000);
  afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

  it("copies an object there and back", async () => {
    const port = await freePort();
    await cluster.becomes(["osd", "stat"], /3 osds: 3 up/);
    await cluster.daemon("radosgw", "--name=client.rgw", `--rgw-frontends=beast endpoint=127.0.0.1:${port}`);
    const endpoint = `http://127.0.0.1:${port}`;
    await cluster.shell(`until curl --silent --fail --output /dev/null ${endpoint}; do sleep 0.2; done`);
    await cluster.run([
      "radosgw-admin",
      "user",
      "create",
      "--uid=tester",
      "--display-name=Tester",
      "--access-key=id",
      "--secret=key",
    ]);
    const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", S3_ENDPOINT_URL: endpoint };
    const listed = await cluster.shell(
      `head -c 20000000 /dev/urandom > /tmp/blob && s5cmd mb s3://bucket
      s5cmd cp --part-size 5 /tmp/blob s3://bucket/folder/blob && s5cmd cp s3://bucket/folder/blob /tmp/back && cmp /tmp/blob /tmp/back
      s5cmd ls s3://bucket/folder/`,
      env,
    );
    expect(listed).toMatch(/\s20000000\s+blob$/);
  });
});
