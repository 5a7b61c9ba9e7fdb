// What is in the image, without a cluster.

import { type BuiltImage, builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: BuiltImage;
beforeAll(async () => {
  image = await builtImage("ceph");
}, 300_000);

async function sh(script: string, user?: string): Promise<{ exitCode: number; lines: string[]; stderr: string }> {
  const options = user === undefined ? {} : { user };
  const container = await image.run({
    args: ["bash", "-euc", script],
    tmpfs: ["/tmp", "/var/log/ceph", "/run"],
    ...options,
  });
  const { exitCode } = await container.exited();
  return { exitCode, lines: container.stdout.trim().split("\n"), stderr: container.stderr };
}

describe("the ceph image", () => {
  it("is what Rook starts daemons from: root, no entrypoint, and ceph is 167", async () => {
    expect(image.record.platforms[0]).toMatchObject({ user: "0:0", entrypoint: [], cmd: ["/bin/bash"] });
    const { lines } = await sh(
      "id ceph; stat -c '%u:%g %a' /var/lib/ceph /var/lib/ceph/osd /var/lib/ceph/crash/posted",
      "167:167",
    );
    expect(lines).toEqual([
      "uid=167(ceph) gid=167(ceph) groups=167(ceph)",
      "167:167 750",
      "167:167 750",
      "167:167 750",
    ]);
  });

  it("has every daemon and tool, all of one version 18", async () => {
    const names =
      `ceph ceph-mon ceph-mgr ceph-osd ceph-mds radosgw rbd-mirror cephfs-mirror rados rbd radosgw-admin ceph-bluestore-tool
      ceph-authtool ceph-conf`.split(/\s+/);
    const { lines, stderr } = await sh(`for name in ${names.join(" ")}; do "$name" --version; done`);
    expect(
      lines.map((line) => line.split(" ").slice(0, 2).join(" ")),
      stderr,
    ).toEqual(names.map(() => "ceph version"));
    expect(new Set(lines).size).toBe(1);
    expect(lines[0]).toMatch(/^ceph version 18\.2\./);
  });

  it("has what Rook and its scripts call beside Ceph", async () => {
    const names = `ceph-volume ceph-crash ceph-objectstore-tool ceph-kvstore-tool ceph-monstore-tool crushtool monmaptool osdmaptool lvm lvs lsblk blkid sgdisk cryptsetup dmsetup udevadm nsenter mount
      chown stdbuf sed awk find sync sleep curl logrotate killall pkill tar ganesha.nfsd dbus-daemon rpcinfo modprobe mkfs.xfs mkfs.ext4 python3`;
    const { lines } = await sh(
      `for name in ${names.replace(/\s+/g, " ")}; do command -v "$name" > /tmp/path || echo "no $name"; done; echo end`,
    );
    expect(lines).toEqual(["end"]);
  });

  it("runs ceph-volume, and ganesha with Ceph's and the gateway's storage", async () => {
    const { exitCode, lines, stderr } = await sh(
      "ceph-volume raw list --format json && ganesha.nfsd -v && ls /usr/lib/*/ganesha",
    );
    expect(exitCode, stderr).toBe(0);
    expect(lines.join(" ")).toMatch(/^\{\} .*NFS-Ganesha Release = V6.* libfsalceph\.so libfsalrgw\.so/);
  });

  it("rotates logs by the file that Rook edits, with the words it replaces", async () => {
    const { lines } = await sh("cat /etc/logrotate.d/ceph");
    expect(lines[0]).toContain("*.log");
    expect(lines.map((line) => line.trim())).toEqual(expect.arrayContaining(["rotate 7", "daily"]));
  });

  it("has no joblib, no compiler, no package manager and nothing setuid", async () => {
    const { lines } = await sh(`python3 -c 'import joblib' 2>&1 | tail -1
      find / -xdev \\( -iname '*joblib*' -o -name apt -o -name dpkg -type f -o -name gcc -type f -o -perm /6000 -type f \\) ! -path '/proc/*' || true`);
    expect(lines).toEqual(["ModuleNotFoundError: No module named 'joblib'"]);
  });

  it("starts Python from byte code, which clamped time stamps can't make stale", async () => {
    const { lines } = await sh(`python3 -c "
import importlib.util, sys
for file in ['/usr/lib/python3/dist-packages/ceph_argparse.py', '/usr/share/ceph/mgr/mgr_module.py']:
    print(open(importlib.util.cache_from_source(file), 'rb').read(8)[4:].hex())"`);
    expect(lines).toEqual(["01000000", "01000000"]);
  });

  it("hashes passwords as bcrypt does", async () => {
    // The second vector of OpenBSD's and of python-bcrypt's own tests.
    const { lines, stderr } = await sh(`python3 -c "
import bcrypt
print(bcrypt.hashpw(b'U*U*', b'\\x242a\\x2405\\x24CCCCCCCCCCCCCCCCCCCCC.').decode())
hashed = bcrypt.hashpw(b'secret', bcrypt.gensalt(4))
print(bcrypt.checkpw(b'secret', hashed), bcrypt.checkpw(b'Secret', hashed), hashed[:7].decode())
for salt in (b'junk', b'\\x241\\x24salt'):
    try: bcrypt.hashpw(b'secret', salt)
    except ValueError as error: print(error)"`);
    expect(lines, stderr).toEqual([
      "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK",
      "True False $2b$04$",
      "Invalid salt",
      "Invalid salt",
    ]);
  });

  it("has a record of every package whose files match it", async () => {
    const { lines } = await sh(
      "cd / && cat var/lib/dpkg/status.d/*.md5sums | md5sum --check --quiet 2>&1 || true; ls var/lib/dpkg/status.d",
    );
    // Ours: why, the files beside them in src/mgr say.
    expect(lines.filter((line) => line.endsWith("FAILED")).toSorted()).toEqual([
      "usr/share/ceph/mgr/mgr_util.py: FAILED",
      "usr/share/ceph/mgr/restful/module.py: FAILED",
    ]);
    expect(lines).toEqual(expect.arrayContaining(["ceph-osd", "ceph-mgr-dashboard", "libssl3t64", "python3.13"]));
  });
});
