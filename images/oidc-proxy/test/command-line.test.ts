// The program as called: its modes, and what it says of flags that make no sense.

import { freePort } from "@waybill/testing";
import { describe, expect, test } from "vitest";
import { startProgram } from "./support/program.ts";
import { Proxy } from "./support/proxy.ts";
import { setStage } from "./support/stage.ts";

async function ran(...args: string[]): Promise<{ exitCode: number | null; log: string }> {
  const program = await startProgram(args);
  const { exitCode } = await program.exited();
  return { exitCode, log: program.log };
}

describe("the command line", { timeout: 60_000 }, () => {
  test("an unknown mode exits with 2 and lists the modes", async () => {
    const { exitCode, log } = await ran("dance");
    expect(exitCode).toBe(2);
    expect(log).toContain('unknown mode "dance", first argument: the modes are serve, healthcheck, version');
  });

  test("flags that are missing are all named, with exit code 2", async () => {
    const { exitCode, log } = await ran();
    expect(exitCode).toBe(2);
    for (const flag of ["oidc-issuer-url", "oidc-client-id", "tls-cert-file", "tls-private-key-file"]) {
      expect(log).toContain(`--${flag} is required`);
    }
  });

  test("an unknown flag exits with 2", async () => {
    const { exitCode, log } = await ran("--oidc-isuer-url=https://x");
    expect(exitCode).toBe(2);
    expect(log).toContain("oidc-isuer-url");
  });

  test("--help names the flags", async () => {
    const { exitCode, log } = await ran("--help");
    expect(exitCode).toBe(0);
    expect(log).toContain("--oidc-required-claim=claim=value");
  });

  test("version names the libraries that judge tokens", async () => {
    const { exitCode, log } = await ran("version");
    expect(exitCode).toBe(0);
    expect(log).toMatch(/go-oidc\/v3 v3\./);
  });

  test("healthcheck follows the probe", async () => {
    const { authority, issuer, api } = await setStage();
    const flag = `--readiness-probe-port=${await freePort()}`;
    expect((await ran("healthcheck", flag)).exitCode).toBe(1);
    const proxy = await Proxy.ready({ authority, issuerUrl: issuer.url, apiServerUrl: api.url });
    expect(await ran("healthcheck", `--readiness-probe-port=${proxy.probePort}`)).toEqual({ exitCode: 0, log: "" });
    await proxy.stop();
  });
});
