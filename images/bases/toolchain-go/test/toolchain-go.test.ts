import { type ContainerOptions, builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("toolchain-go");
}, 120_000);

async function sh(script: string, options: ContainerOptions = {}) {
  const container = await image.run({
    args: ["/bin/sh", "-euc", script],
    tmpfs: ["/tmp:exec", "/src:exec"],
    ...options,
  });
  const { exitCode } = await container.exited();
  return { exitCode, stdout: container.stdout.trim(), stderr: container.stderr };
}

const PROGRAM = `
  cd /src && go mod init example.com/hello 2> /dev/null
  printf 'package main\\nimport "net"\\nfunc main() { _, err := net.LookupPort("tcp", "https"); println(err == nil) }\\n' > main.go
  export GOCACHE=/tmp/cache`;

describe("the Go toolchain", () => {
  it("builds a static program without a network", async () => {
    const { exitCode, stdout, stderr } = await sh(
      `${PROGRAM}\ngo vet . && go build -o /tmp/hello . && ldd /tmp/hello 2>&1 || true; /tmp/hello`,
      {
        network: "none",
      },
    );
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: "not a dynamic executable" });
    expect(stderr).toContain("true");
  }, 120_000);

  it("leaves paths out of what it builds", async () => {
    const { stdout } = await sh(`${PROGRAM}\ngo build -o /tmp/hello . && grep -c /src/main.go /tmp/hello || true`, {
      network: "none",
    });
    expect(stdout).toBe("0");
  }, 120_000);

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
