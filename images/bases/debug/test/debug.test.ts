// A person who enters a container finds the tools, as any user and with a read-only root.

import { builtImage } from "@waybill/testing";
import { expect, test } from "vitest";

test("bash, tini, curl, jq, and busybox for the rest", async () => {
  const image = await builtImage("debug");
  const script = `set -e; bash --version | head -n 1; tini --version; curl --version | head -n 1; jq --version
    sh -c 'ps | grep -q ps'; ls -l /etc | wc -l; nslookup -version 2>&1 | head -n 1 >/dev/null; id -u`;
  const container = await image.run({ args: ["/usr/bin/bash", "-c", script], network: "none", user: "1234:1234" });
  const { exitCode } = await container.exited();
  expect(container.stdout + container.stderr).toMatch(/^GNU bash, .+\ntini version .+\ncurl 8.+\njq-1.+\n\d+\n1234\n$/);
  expect(exitCode).toBe(0);
});
