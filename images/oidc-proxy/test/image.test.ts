// What is true of the image whatever its flags; the other tests run the program in it, with a read-only root file system.

import { builtImage } from "@waybill/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { ON_BINARY } from "./support/program.ts";
import { Proxy } from "./support/proxy.ts";
import { setStage } from "./support/stage.ts";

describe.skipIf(ON_BINARY)("the image", { timeout: 60_000 }, () => {
  let image: Awaited<ReturnType<typeof builtImage>>;

  beforeAll(async () => {
    image = await builtImage("oidc-proxy");
  }, 120_000);

  test("is for linux/amd64, runs as 65532 and checks its own health", () => {
    expect(image.record.platforms.map(({ platform }) => platform)).toEqual(["linux/amd64"]);
    expect(image.record.platforms[0]).toMatchObject({
      user: "65532:65532",
      entrypoint: ["/usr/local/bin/oidc-proxy"],
      exposedPorts: ["6443/tcp", "8080/tcp"],
      healthcheck: ["CMD", "/usr/local/bin/oidc-proxy", "healthcheck"],
    });
  });

  test("runs as another user too, without a network", async () => {
    const container = await image.run({ args: ["version"], user: "1000:1000", network: "none" });
    expect(await container.exited()).toMatchObject({ exitCode: 0 });
    expect(container.stdout).toMatch(/^oidc-proxy of Waybill/);
  });

  test("takes its mode from WAYBILL_MODE, which an argument overrules", async () => {
    const asked = await image.run({ env: { WAYBILL_MODE: "version" } });
    expect((await asked.exited()).exitCode).toBe(0);
    const overruled = await image.run({ args: ["dance"], env: { WAYBILL_MODE: "version" } });
    expect((await overruled.exited()).exitCode).toBe(2);
  });

  test("the health check finds the probe by the flags of the container's first process", async () => {
    const { authority, issuer, api } = await setStage();
    const proxy = await Proxy.ready({ authority, issuerUrl: issuer.url, apiServerUrl: api.url });
    const beside = { args: ["healthcheck"], flags: [`--pid=container:${proxy.container}`] };
    expect(await (await image.run(beside)).exited()).toMatchObject({ exitCode: 0 });
    expect(await (await image.run({ args: ["healthcheck"] })).exited()).toMatchObject({ exitCode: 1 });
    await proxy.stop();
  });

  test("has no shell", async () => {
    const container = await image.run({ entrypoint: "/bin/sh", args: ["-c", "true"] });
    expect((await container.exited()).exitCode).not.toBe(0);
  });
});
