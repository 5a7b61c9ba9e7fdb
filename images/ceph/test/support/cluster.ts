// A Ceph cluster of the image: each daemon in a container of its own, as Rook has them, and all as user 167 with a read-only
// root. Disks are sparse files. Everything listens on 127.0.0.1.

import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltImage, type Container, freePort } from "@waybill/testing";

/** Other people's builds may hold the machine: generous, because nothing waits so long when all is well. */
const PATIENCE_MS = 180_000;

/** What Rook's daemons are started with: in the foreground, their log on stderr. */
const FOREGROUND = ["--foreground", "--log-to-stderr=true", "--err-to-stderr=true", "--log-to-file=false"];

/** Small, and quick to notice that a daemon is gone: every OSD is on this host, and each other's only witness. */
const conf = (fsid: string, port: number): string => `[global]
fsid = ${fsid}
mon_host = v2:127.0.0.1:${port}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
keyring = /data/$name.keyring
admin_socket = /data/$name.asok
run_dir = /data
crash_dir = /data/crash
auth_allow_insecure_global_id_reclaim = false
mon_data = /data/mon
mgr_initial_modules = dashboard prometheus restful iostat nfs
mon_data_avail_warn = 0
mon_data_avail_crit = 0
mon_allow_pool_delete = true
mon_osd_min_down_reporters = 1
mon_osd_reporter_subtree_level = osd
mgr_data = /data/mgr
osd_data = /data/osd-$id
osd_objectstore = bluestore
bluestore_block_size = 3221225472
osd_memory_target = 939524096
osd_crush_chooseleaf_type = 0
osd_heartbeat_interval = 1
osd_heartbeat_grace = 8
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
rgw_data = /data/rgw
`;

/** Every key there will be is made here and known to the mon from the start: fewer calls of `ceph`, each of which starts Python. */
const MAKE_MON = `cd /data && mkdir crash mgr mon rgw
  ceph-authtool --create-keyring mon.a.keyring --gen-key --name mon. --cap mon 'allow *'
  key() { local name=$1; shift; ceph-authtool --create-keyring "$name.keyring" --gen-key --name "$name" "$@" && ceph-authtool mon.a.keyring --import-keyring "$name.keyring"; }
  key client.admin --cap mon 'allow *' --cap mgr 'allow *' --cap osd 'allow *' --cap mds 'allow *'
  key client.rgw --cap mon 'allow rw' --cap mgr 'allow rw' --cap osd 'allow rwx'
  key mds.a --cap mon 'profile mds' --cap mgr 'profile mds' --cap mds 'allow *' --cap osd 'allow *'
  key mgr.a --cap mon 'allow profile mgr' --cap mds 'allow *' --cap osd 'allow *'
  for id in 0 1 2; do key osd.$id --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'; done
  monmaptool --create --fsid "$FSID" --addv a "[v2:127.0.0.1:$PORT]" monmap
  ceph-mon --mkfs --id a --monmap monmap --keyring mon.a.keyring`;

const MAKE_DAEMONS = `cd /data
  for option in dashboard/server_addr=127.0.0.1 dashboard/ssl_server_port=$DASHBOARD prometheus/server_addr=127.0.0.1 prometheus/server_port=$METRICS; do
    ceph config set mgr "mgr/\${option%=*}" "\${option#*=}" --force
  done
  for id in 0 1 2; do
    mkdir osd-$id && uuid=$(cat /proc/sys/kernel/random/uuid)
    ceph osd new $uuid $id
    ceph-osd --mkfs --id $id --osd-uuid $uuid
  done`;

export class Cluster {
  readonly #image: BuiltImage;
  readonly #volume: string;
  readonly #daemons: Container[] = [];
  /** Where the mgr's dashboard (TLS) and metrics are served. */
  readonly ports: { dashboard: number; metrics: number };

  private constructor(image: BuiltImage, volume: string, ports: Cluster["ports"]) {
    this.ports = ports;
    this.#image = image;
    this.#volume = volume;
  }

  /** One mon, one mgr and OSDs 0 and 1; there is a disk for OSD 2. They have been started, no more. */
  static async start(image: BuiltImage): Promise<Cluster> {
    const volume = await mkdtemp(join(tmpdir(), "waybill-ceph-"));
    await chmod(volume, 0o777);
    const ports = { dashboard: await freePort(), metrics: await freePort() };
    const cluster = new Cluster(image, volume, ports);
    const [fsid, port] = [randomUUID(), await freePort()];
    await writeFile(join(volume, "ceph.conf"), conf(fsid, port));
    await cluster.shell(MAKE_MON, { FSID: fsid, PORT: String(port) });
    await cluster.daemon("ceph-mon", "--id=a");
    await cluster.shell(MAKE_DAEMONS, { DASHBOARD: String(ports.dashboard), METRICS: String(ports.metrics) });
    await cluster.daemon("ceph-mgr", "--id=a");
    for (const id of [0, 1]) await cluster.osd(id);
    return cluster;
  }

  /** Starts a daemon, which lives until it is killed or the cluster is disposed of. */
  async daemon(program: string, ...args: string[]): Promise<Container> {
    const container = await this.#run([program, ...args, ...FOREGROUND]);
    this.#daemons.push(container);
    return container;
  }

  osd(id: number): Promise<Container> {
    return this.daemon("ceph-osd", `--id=${id}`);
  }

  /** Runs a program to its end, as a user of the cluster. @throws {Error} it failed; with what it printed */
  async run(args: string[], env: Record<string, string> = {}): Promise<string> {
    const container = await this.#run(args, env);
    const { exitCode } = await container.exited();
    if (exitCode !== 0) {
      const logs = this.#daemons.map(({ stderr }) => stderr.split("\n").slice(-4).join("\n"));
      const all = [`${args.join(" ")} ended with ${exitCode}:`, container.stdout, container.stderr, ...logs];
      throw new Error(all.join("\n"));
    }
    return container.stdout.trim();
  }

  shell(script: string, env: Record<string, string> = {}): Promise<string> {
    return this.run(["bash", "-euo", "pipefail", "-c", script], env);
  }

  ceph(...args: string[]): Promise<string> {
    return this.run(["ceph", "--connect-timeout=60", ...args]);
  }

  /** Asks until the answer matches. @throws {Error} it doesn't in time; with the last answer */
  async becomes(args: string[], expected: RegExp): Promise<string> {
    for (const end = Date.now() + PATIENCE_MS; ;) {
      const answer = await this.ceph(...args);
      if (expected.test(answer)) return answer;
      if (Date.now() > end) throw new Error(`ceph ${args.join(" ")} still says:\n${answer}`);
    }
  }

  #run([program = "", ...args]: string[], env: Record<string, string> = {}): Promise<Container> {
    return this.#image.run({
      entrypoint: program,
      args,
      user: "167:167",
      env: { CEPH_CONF: "/data/ceph.conf", ...env },
      mounts: [{ source: this.#volume, target: "/data" }],
      tmpfs: ["/tmp"],
    });
  }

  /** The data belong to user 167, who has to delete them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.stop("SIGKILL")));
    await this.run(["sh", "-c", "rm -rf /data/*"]);
    await rm(this.#volume, { recursive: true });
  }
}
