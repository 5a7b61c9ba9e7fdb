import { type Shell, shellIn } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let sh: Shell;
beforeAll(async () => {
  sh = await shellIn("toolchain-go");
}, 120_000);

describe("the Go toolchain", () => {
  it("builds a static program without a network, and leaves paths out of it", async () => {
    const { exitCode, stdout, stderr } = await sh(
      `cd /src && go mod init example.com/hello 2> /dev/null
      printf 'package main\\nfunc main() { println("ran") }\\n' > main.go
      go build -o /tmp/hello . && /tmp/hello
      ldd /tmp/hello 2>&1 || true
      grep -c /src/main.go /tmp/hello || true`,
      { network: "none", env: { GOCACHE: "/tmp/cache" } },
    );
    expect({ exitCode, stdout, stderr: stderr.trim() }).toEqual({
      exitCode: 0,
      stdout: "not a dynamic executable\n0",
      stderr: "ran",
    });
  });

  it("never downloads another Go", async () => {
    const { exitCode, stderr } = await sh(
      "cd /src && printf 'module m\\ngo 1.999\\n' > go.mod && GOCACHE=/tmp/cache go build ./...",
    );
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("GOTOOLCHAIN=local");
  });

  it("has git, CAs and with-ca", async () => {
    const { stdout } = await sh(
      "git --version | cut -c1-11; test -s /etc/ssl/certs/ca-certificates.crt; with-ca go env GOTOOLCHAIN",
    );
    expect(stdout.split("\n")).toEqual(["git version", "local"]);
  });
});
