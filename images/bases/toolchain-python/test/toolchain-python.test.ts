import { type Shell, shellIn } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let sh: Shell;
beforeAll(async () => {
  sh = await shellIn("toolchain-python");
}, 120_000);

describe("the Python toolchain", () => {
  it("has Python 3.13 and uv", async () => {
    const { stdout } = await sh("python3 --version; uv --version");
    expect(stdout).toMatch(/^Python 3\.13\.\d+\nuv \d+\.\d+\.\d+/);
  });

  it("makes an environment that runs unchanged in the python image: same interpreter, same path", async () => {
    const { exitCode, stdout, stderr } = await sh(
      "uv venv --quiet --no-cache /tmp/v && readlink /tmp/v/bin/python && /tmp/v/bin/python -c 'print(1)'",
      {
        network: "none",
      },
    );
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: "/usr/bin/python3.13\n1" });
  });

  it("never downloads another Python", async () => {
    const { exitCode } = await sh("uv venv --quiet --no-cache --python 3.12 /tmp/v");
    expect(exitCode).not.toBe(0);
  });

  it("has venv with pip, CAs and with-ca", async () => {
    const { exitCode, stderr } = await sh(
      "python3 -m venv /tmp/v && test -s /etc/ssl/certs/ca-certificates.crt && with-ca /tmp/v/bin/pip --version",
    );
    expect(exitCode, stderr).toBe(0);
  });
});
