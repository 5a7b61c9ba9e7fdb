import { type Shell, shellIn } from "@waybill/testing";
import { beforeAll, describe, expect, it } from "vitest";

let sh: Shell;
beforeAll(async () => {
  sh = await shellIn("toolchain-node");
}, 120_000);

describe("the Node toolchain", () => {
  it("has Node 24 and npm 11", async () => {
    const { stdout } = await sh("node --version; npm --version; npx --version");
    expect(stdout).toMatch(/^v24\.\d+\.\d+\n11\.\d+\.\d+\n11\.\d+\.\d+$/);
  });

  it("installs a package, runs its scripts and leaves no cache in /tmp", async () => {
    const { exitCode, stdout, stderr } = await sh(
      `mkdir /src/p && cd /src/p && echo '{"name":"p","version":"1.0.0","bin":"p.js"}' > package.json
      printf '#!/usr/bin/env node\\nconsole.log("ran")\\n' > p.js && chmod 755 p.js && npm pack --silent --pack-destination /src > /dev/null
      mkdir /src/q && cd /src/q && echo '{}' > package.json && npm install --silent /src/p-1.0.0.tgz && npx p; ls /tmp`,
      { network: "none", env: { NPM_CONFIG_CACHE: "/src/cache" } },
    );
    expect({ exitCode, stdout }, stderr).toEqual({ exitCode: 0, stdout: "ran" });
  });

  it("has CAs and with-ca", async () => {
    const { exitCode } = await sh("test -s /etc/ssl/certs/ca-certificates.crt && with-ca node -e 0");
    expect(exitCode).toBe(0);
  });
});
