// A cluster with every kind of daemon, made once; the tests build on one another.

import { type Container, builtImage, freePort } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster } from "./support/cluster.ts";

let cluster: Cluster;
let osd: Container;
beforeAll(async () => {
  cluster = await Cluster.start(await builtImage("ceph"));
  osd = await cluster.osd(2);
}, 600_000);
afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

const BLOB = "head -c 3000000 /dev/urandom > /data/blob";

describe("a cluster of one mon, one mgr and three OSDs", { timeout: 300_000 }, () => {
  it("reaches HEALTH_OK", async () => {
    await cluster.becomes(["osd", "stat"], /3 osds: 3 up.* 3 in/);
    await cluster.becomes(["health", "detail"], /^HEALTH_OK$/);
  });

  it("stores an object and reads it back through RADOS", async () => {
    await cluster.shell(`ceph osd pool create objects 8 && ceph osd pool application enable objects test
      ${BLOB} && rados --pool objects put blob /data/blob && rados --pool objects get blob /tmp/blob && cmp /data/blob /tmp/blob`);
    await cluster.becomes(["pg", "stat"], /^\d+ pgs: \d+ active\+clean;/);
  });

  it("stores an object and reads it back through S3", async () => {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const gateway = await cluster.daemon(
      "radosgw",
      "--name=client.rgw",
      `--rgw-frontends=beast endpoint=127.0.0.1:${port}`,
    );
    await cluster.shell(`until curl --silent --fail --output /dev/null ${endpoint}; do sleep 0.2; done`);
    const user = await cluster.run(["radosgw-admin", "user", "create", "--uid=tester", "--display-name=Tester"]);
    const [{ access_key: id, secret_key: key }] = (JSON.parse(user) as { keys: [Record<string, string>] }).keys;
    const curl = `curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 --user ${id}:${key}`;
    await cluster.shell(`${curl} --request PUT ${endpoint}/bucket
      ${curl} --upload-file /data/blob ${endpoint}/bucket/folder/blob
      ${curl} --output /tmp/blob ${endpoint}/bucket/folder/blob && cmp /data/blob /tmp/blob`);
    expect(await cluster.shell(`${curl} ${endpoint}/bucket`)).toContain("<Key>folder/blob</Key><LastModified>");
    await expect(cluster.shell(`curl --silent --fail ${endpoint}/bucket`)).rejects.toThrow("ended with 22");
    await gateway.stop("SIGTERM", 60_000);
  });

  it("serves a file system", async () => {
    await cluster.shell(
      `ceph osd pool create data 8 && ceph osd pool create metadata 8 && ceph fs new files metadata data`,
    );
    const mds = await cluster.daemon("ceph-mds", "--id=a");
    await cluster.becomes(["mds", "stat"], /files:1 \{0=a=up:active\}/);
    const script = `import cephfs
fs = cephfs.LibCephFS(conffile="/data/ceph.conf", conf={"client_permissions": "false"})
fs.mount()
fs.mkdir("/folder", 0o755)
print(fs.stat("/folder").st_uid)`;
    expect(await cluster.run(["python3", "-c", script])).toBe("167");
    await cluster.ceph("fs", "fail", "files");
    await cluster.ceph("fs", "rm", "files", "--yes-i-really-mean-it");
    await mds.stop("SIGKILL");
  });

  it("survives the kill of an OSD: objects are read and written meanwhile, and it comes back", async () => {
    await osd.stop("SIGKILL");
    await cluster.becomes(["osd", "stat"], /3 osds: 2 up/);
    await cluster.shell(`rados --pool objects get blob /tmp/blob && cmp /data/blob /tmp/blob
      rados --pool objects put second /data/blob`);
    expect(await cluster.ceph("health")).toMatch(/^HEALTH_WARN 1 osds down/);
    await cluster.osd(2);
    await cluster.becomes(["health", "detail"], /^HEALTH_OK$/);
    await cluster.shell("rados --pool objects get second /tmp/blob && cmp /data/blob /tmp/blob");
  });

  it("has a mgr whose modules can all be run, influx excepted, which needs what nothing else does", async () => {
    const modules = JSON.parse(await cluster.ceph("mgr", "module", "ls", "--format=json")) as {
      enabled_modules: string[];
      disabled_modules: { name: string; can_run: boolean; error_string: string }[];
    };
    expect(modules.enabled_modules).toEqual(expect.arrayContaining(["dashboard", "prometheus", "restful"]));
    expect(modules.disabled_modules.map(({ name }) => name)).toContain("rook");
    const broken = modules.disabled_modules.filter(({ can_run: can }) => !can);
    expect(broken.map(({ name, error_string: why }) => `${name}: ${why}`)).toEqual([
      "influx: influxdb python module not found",
    ]);
  });

  it("shows metrics, and the dashboard over TLS to who has a password", async () => {
    const { dashboard, metrics } = cluster.ports;
    const patient = "curl --silent --show-error --fail --insecure --retry 60 --retry-delay 1 --retry-all-errors";
    expect(await cluster.shell(`${patient} http://127.0.0.1:${metrics}/metrics`)).toMatch(
      /ceph_osd_up\{ceph_daemon="osd\.0"\} 1\.0/,
    );

    await cluster.shell(`ceph dashboard create-self-signed-cert
      printf 'a long Passw0rd!' > /tmp/password && ceph dashboard ac-user-create admin -i /tmp/password administrator`);
    const url = `https://127.0.0.1:${dashboard}`;
    expect(await cluster.shell(`${patient} ${url}/`)).toContain("<title>Ceph</title>");
    const login = (password: string): Promise<string> =>
      cluster.shell(
        `curl --silent --fail --insecure --header 'Accept: application/vnd.ceph.api.v1.0+json' --json "$LOGIN" ${url}/api/auth`,
        {
          LOGIN: JSON.stringify({ username: "admin", password }),
        },
      );
    expect(JSON.parse(await login("a long Passw0rd!"))).toMatchObject({
      username: "admin",
      token: expect.any(String) as string,
    });
    await expect(login("another Passw0rd!")).rejects.toThrow("ended with 22");
  });
});
