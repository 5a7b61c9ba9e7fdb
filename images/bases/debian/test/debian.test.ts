import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContainerOptions, builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("debian");
}, 120_000);

/** Runs a script in a fresh container; what it printed and how it ended. */
async function sh(script: string, options: ContainerOptions = {}) {
  const container = await image.run({ args: ["/bin/sh", "-euc", script], ...options });
  const { exitCode } = await container.exited();
  return { exitCode, stdout: container.stdout.trim(), stderr: container.stderr };
}

/**
 * Builds a package with one file of each kind that dpkg should drop or keep, and installs it. All as root: a test's container has no
 * capability to become another user.
 */
const INSTALL_A_PACKAGE = `
  mkdir -p /tmp/p/DEBIAN /tmp/p/usr/share/doc/p /tmp/p/usr/share/man/man1 /tmp/p/usr/lib/p
  printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: n <n@example.com>\\nDescription: d\\n' > /tmp/p/DEBIAN/control
  touch /tmp/p/usr/share/doc/p/copyright /tmp/p/usr/share/doc/p/README /tmp/p/usr/share/man/man1/p.1 /tmp/p/usr/lib/p/p
  printf '#!/bin/sh\\nldconfig\\n' > /tmp/p/DEBIAN/postinst && chmod 755 /tmp/p/DEBIAN/postinst
  dpkg-deb --root-owner-group --build /tmp/p /tmp/p.deb > /dev/null
  apt-get -o APT::Sandbox::User=root install -y -q /tmp/p.deb > /dev/null`;

describe("the root file system", () => {
  it("is Debian trixie with every package fully installed", async () => {
    const { exitCode, stdout } = await sh(". /etc/os-release; echo $VERSION_CODENAME; dpkg --audit; apt-get -qq check");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "trixie" });
  });

  it("names where packages come from and the key they are signed with", async () => {
    const { stdout } = await sh(`
      grep -h ^Suites: /etc/apt/sources.list.d/*.sources
      for key in $(grep -h ^Signed-By: /etc/apt/sources.list.d/*.sources | cut -d' ' -f2); do test -s $key; done`);
    expect(stdout.split("\n")).toEqual(["Suites: trixie trixie-updates", "Suites: trixie-security"]);
  });

  it("has nothing setuid or setgid, no logs, no caches, and nothing of the host that built it", async () => {
    const { stdout } = await sh(`
      find / -xdev -type f -perm /6000
      find /var/log /var/lib/apt/lists /var/cache/apt -type f
      ls -d /packages /src /etc/hostname.orig /var/cache/ldconfig/aux-cache 2> /dev/null || true`);
    expect(stdout).toBe("");
  });

  it("keeps licences and leaves manual pages out", async () => {
    const { stdout } = await sh(
      "test -s /usr/share/doc/bash/copyright; find /usr/share/man -type f 2> /dev/null || true",
    );
    expect(stdout).toBe("");
  });
});

describe("an image made from it", () => {
  it("installs packages without logs, caches or back-ups, which would change its digest from build to build", async () => {
    const { exitCode, stdout, stderr } = await sh(
      `${INSTALL_A_PACKAGE}
      find /var/log -type f; ls /var/cache/ldconfig; find /var/lib/dpkg /var/cache/debconf -name '*-old'; ls /var/cache/apt/*.bin 2> /dev/null || true`,
      { readOnlyRoot: false },
    );
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: "" });
  });

  it("gets a package's licence and no more of its documentation", async () => {
    const { stdout } = await sh(`${INSTALL_A_PACKAGE}\ndpkg -L p | while read -r f; do [ ! -f $f ] || echo $f; done`, {
      readOnlyRoot: false,
    });
    expect(stdout.split("\n").sort()).toEqual(["/usr/lib/p/p", "/usr/share/doc/p/copyright"]);
  });
});

describe("with-ca", () => {
  it("runs the command as it stands where there is no secret", async () => {
    const { exitCode, stdout } = await sh("with-ca sh -c 'env | grep -c /run/secrets || true; exit 7'");
    expect({ exitCode, stdout }).toEqual({ exitCode: 7, stdout: "0" });
  });

  it("names the secret's bundle to every tool where there is one", async () => {
    const source = join(await mkdtemp(join(tmpdir(), "waybill-ca-")), "ca");
    await writeFile(source, "-----BEGIN CERTIFICATE-----\n");
    const { stdout } = await sh("with-ca env | grep =/run/secrets/ca | cut -d= -f1 | sort", {
      mounts: [{ source, target: "/run/secrets/ca", readOnly: true }],
    });
    expect(stdout.split("\n")).toEqual([
      "CARGO_HTTP_CAINFO",
      "CURL_CA_BUNDLE",
      "GIT_SSL_CAINFO",
      "NODE_EXTRA_CA_CERTS",
      "PIP_CERT",
      "REQUESTS_CA_BUNDLE",
      "SSL_CERT_FILE",
    ]);
  });

  it("passes arguments through untouched", async () => {
    const { stdout } = await sh(`with-ca printf '%s|' 'a b' '' '*'`);
    expect(stdout).toBe("a b||*|");
  });
});
