// The variant with tools runs the same program.

import { builtImage } from "@waybill/testing";
import { expect, test } from "vitest";

test("the variant debug has the tools, and runs the downloader as its modes", async () => {
  const debug = await builtImage("downloader", "debug");
  const script = "set -e; for tool in bash tini curl jq kubectl; do command -v $tool; done";
  const tools = await debug.run({ entrypoint: "/usr/bin/bash", args: ["-c", script], network: "none" });
  expect((await tools.exited()).exitCode).toBe(0);
  expect(tools.stdout.trim().split("\n")).toHaveLength(5);
  const unknown = await debug.run({ args: ["dance"], network: "none" });
  expect((await unknown.exited()).exitCode).toBe(2);
  expect(unknown.stderr).toContain('unknown mode "dance"');
});
