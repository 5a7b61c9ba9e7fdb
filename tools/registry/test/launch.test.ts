// The server in the background: started once, found again, stopped.

import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { findRunning, halt, launch } from "@waybill/registry";
import { temporaryFolder } from "./harness.ts";
import { ask, imageOf, pullImage, pushImage } from "./image.ts";

async function configured(listen = "127.0.0.1:0"): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), JSON.stringify({ listen, keepFree: "0B" }));
  onTestFinished(async () => void (await halt(folder)));
  return folder;
}

describe("a server in the background", () => {
  it("is started once, serves, and holds what it had after it was stopped and started", async () => {
    const folder = await configured();
    expect([await findRunning(folder), await halt(folder)]).toEqual([undefined, false]);
    const first = await launch(folder);
    expect(await launch(folder)).toEqual(first);
    const image = imageOf("a");
    await pushImage(first.url, "team/api", image, "1.0");
    expect(await halt(folder)).toBe(true);
    await expect(ask(first.url, "/v2/")).rejects.toThrow();
    const second = await launch(folder);
    expect(second.pid).not.toBe(first.pid);
    expect(await pullImage(second.url, "team/api", "1.0")).toBe(image.manifest.digest);
  });

  it("that can't start says why in one line", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    await expect(launch(await configured(`127.0.0.1:${port}`))).rejects.toThrow(
      /^the port is taken, 127\.0\.0\.1:\d+: stop what listens there/,
    );
  });
});
