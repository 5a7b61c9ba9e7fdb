// What is true of the image without a cluster.

import { builtImage, until } from "@waybill/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { Webhook } from "./support/webhook.ts";

let image: Awaited<ReturnType<typeof builtImage>>;
beforeAll(async () => {
  image = await builtImage("webhook");
});

test("it runs as 65532, listens on 8444, and checks its own health", () => {
  expect(image.record.platforms[0]).toMatchObject({
    user: "65532:65532",
    entrypoint: ["/usr/local/bin/webhook"],
    exposedPorts: ["8444/tcp"],
    healthcheck: ["CMD", "/usr/local/bin/webhook", "healthcheck"],
  });
});

describe("modes", () => {
  test.each([
    [
      { args: ["dance"], env: { WAYBILL_MODE: "version" } },
      2,
      'unknown mode "dance", first argument: the modes are serve, healthcheck, version',
    ],
    [{ env: { WAYBILL_MODE: "sing" } }, 2, 'unknown mode "sing", WAYBILL_MODE'],
    [{ env: { WAYBILL_MODE: "version" } }, 0, "webhook of Waybill"],
    [{ args: ["--bind"] }, 2, "flag provided but not defined"],
    [{ args: ["healthcheck"] }, 1, "connection refused"],
    [{}, 1, "/tls/tls.crt: no such file"],
  ])("%o", async (options, code, reason) => {
    const container = await image.run({ network: "none", ...options });
    const { exitCode } = await container.exited();
    expect(container.stdout + container.stderr).toContain(reason);
    expect(exitCode).toBe(code);
  });

  test("it runs as any user, and has no shell", async () => {
    const version = await image.run({ args: ["version"], user: "1000:1000", network: "none" });
    expect(await version.exited()).toMatchObject({ exitCode: 0 });
    const shell = await image.run({ entrypoint: "/bin/sh", args: ["-c", "true"] });
    expect((await shell.exited()).exitCode).not.toBe(0);
  });
});

describe("serving", () => {
  test("shows the certificate that lies there now, and keeps the last good one", async () => {
    const webhook = await Webhook.start();
    const { serial: first } = await webhook.health();
    const next = await webhook.authority.issue("webhook");
    await webhook.put("tls.key", next.key);
    await webhook.put("tls.crt", next.cert);
    const second = await until("another certificate", async () => {
      const { serial } = await webhook.health();
      return serial !== first && serial;
    });
    await webhook.put("tls.crt", "broken");
    await until("a word about it", async () => {
      expect((await webhook.health()).serial).toBe(second);
      return webhook.container.stderr.includes("can't be reloaded");
    });
    await webhook.stop();
  });

  test("its health check finds it by the flags of the container's first process", async () => {
    const webhook = await Webhook.start();
    const beside = { args: ["healthcheck"], flags: [`--pid=container:${webhook.container.name}`] };
    expect(await (await image.run(beside)).exited()).toMatchObject({ exitCode: 0 });
    expect(await webhook.stop()).toMatchObject({ exitCode: 0 });
  });

  test("starts without rules, and not with rules that it can't read", async () => {
    const none = await Webhook.start();
    await none.stop();
    await expect(Webhook.start("mirrors: 7")).rejects.toThrow(/ended with 1/);
  });
});

test("the variant debug has the tools, and runs the webhook as its modes", async () => {
  const debug = await builtImage("webhook", "debug");
  const script =
    "set -e; for tool in bash tini curl jq kubectl; do command -v $tool; done; webhook version | head -n 1";
  const container = await debug.run({ entrypoint: "/usr/bin/bash", args: ["-c", script], network: "none" });
  const { exitCode } = await container.exited();
  expect(container.stdout + container.stderr).toMatch(
    /^(\/usr\/(local\/)?bin\/(bash|tini|curl|jq|kubectl)\n){5}webhook of/,
  );
  expect(exitCode).toBe(0);
  const refused = await debug.run({ args: ["dance"], network: "none" });
  expect((await refused.exited()).exitCode).toBe(2);
});
