import { type Shell, shellIn } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let sh: Shell;
beforeAll(async () => {
  sh = await shellIn("rootfs-builder");
}, 120_000);

/** A .deb with a licence, other documentation, a folder to leave out, and a record of sums. */
const PACKAGE = `
  mkdir -p /tmp/p/DEBIAN /tmp/debs /tmp/p/usr/share/doc/p/examples /tmp/p/usr/share/man/man1 /tmp/p/usr/lib/p/big /tmp/p/etc
  printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@example.com>\\nDescription: d\\n' > /tmp/p/DEBIAN/control
  printf '#!/bin/sh\\ntouch /tmp/ran\\n' > /tmp/p/DEBIAN/postinst && chmod 755 /tmp/p/DEBIAN/postinst
  cd /tmp/p && echo l > usr/share/doc/p/copyright && echo r > usr/share/doc/p/README && echo e > usr/share/doc/p/examples/copyright
  ln -s p usr/share/doc/p-doc && echo m > usr/share/man/man1/p.1 && echo x > usr/lib/p/p && echo b > usr/lib/p/big/b && echo c > etc/p
  find usr etc -type f | sort | xargs md5sum > DEBIAN/md5sums
  dpkg-deb --root-owner-group --build /tmp/p /tmp/debs/p_1_all.deb > /dev/null`;

describe("unpack-debs", () => {
  it("unpacks files and licences, and leaves out documentation and what matches a pattern", async () => {
    const { stdout, stderr } = await sh(
      `${PACKAGE}\nunpack-debs /tmp/debs /tmp/r './usr/lib/*/big' './etc/*'; cd /tmp/r && find . ! -type d | sort`,
    );
    expect(stdout.split("\n"), stderr).toEqual([
      "./usr/lib/p/p",
      "./usr/share/doc/p-doc",
      "./usr/share/doc/p/copyright",
      "./var/lib/dpkg/status.d/p",
      "./var/lib/dpkg/status.d/p.md5sums",
    ]);
  });

  it("records the package and the sums of the files that are there", async () => {
    const { stdout } = await sh(`${PACKAGE}\nunpack-debs /tmp/debs /tmp/r './etc/*'; cd /tmp/r
      head -2 var/lib/dpkg/status.d/p; md5sum --check --quiet var/lib/dpkg/status.d/p.md5sums; cut -c35- var/lib/dpkg/status.d/p.md5sums`);
    expect(stdout.split("\n")).toEqual([
      "Package: p",
      "Version: 1",
      "usr/lib/p/big/b",
      "usr/lib/p/p",
      "usr/share/doc/p/copyright",
    ]);
  });

  it("runs no maintainer script", async () => {
    const { stdout } = await sh(`${PACKAGE}\nunpack-debs /tmp/debs /tmp/r; ls /tmp/ran 2> /dev/null || echo no`);
    expect(stdout).toBe("no");
  });

  it("fails on a file that is no package", async () => {
    const { exitCode } = await sh(
      "mkdir /tmp/debs && echo junk > /tmp/debs/x_1_all.deb && unpack-debs /tmp/debs /tmp/r",
    );
    expect(exitCode).not.toBe(0);
  });
});
