// A disk without room: a small file system of its own, which takes root. Where that can't be had, the tests say so and are skipped.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "@waybill/oci";
import { settled, startTestRegistry, upstreamAt } from "./harness.ts";
import { ask, imageOf, pullImage, pushBlob, pushImage, randomBlob } from "./image.ts";
import { startUpstream } from "./upstream.ts";

let disk = "";
let mounted = false;
let made = 0;

beforeAll(async () => {
  disk = await mkdtemp(join(tmpdir(), "disk-"));
  const result = await run("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]).catch(() => undefined);
  mounted = result?.exitCode === 0;
  if (!mounted)
    console.warn("SKIPPED: no file system can be mounted here (that takes root), so a full disk is not tested");
});
afterAll(async () => {
  if (mounted) await run("umount", ["--lazy", disk], { check: true });
  await rm(disk, { recursive: true, force: true });
});

async function folder(): Promise<string> {
  const path = join(disk, `registry${made++}`);
  await mkdir(path);
  return path;
}

describe("on a full disk", () => {
  it("a push is refused, in time or in the middle; what was there stays, and room helps", async ({ skip }) => {
    skip(!mounted, "needs root");
    const at = await folder();
    const { url } = await startTestRegistry({}, at);
    const image = imageOf("a", 100_000);
    await pushImage(url, "team/api", image, "1.0");
    const large = randomBlob(6_000_000);
    // Told beforehand, it is refused at once.
    expect(await pushBlob(url, "team/api", large).catch(() => 507)).toBe(507);
    // Not told, it is refused when the disk is full.
    const session = (await ask(url, "/v2/team/api/blobs/uploads/", { method: "POST" })).headers.get("location") ?? "";
    let left = 40;
    const body = new ReadableStream({
      pull(controller) {
        if (left-- > 0) controller.enqueue(Buffer.alloc(500_000, 1));
        else controller.close();
      },
    });
    const answer = await fetch(`${url}${session}`, { method: "PATCH", body, duplex: "half" }).catch(() => undefined);
    expect([undefined, 507]).toContain(answer?.status);
    expect(await pullImage(url, "team/api", "1.0")).toBe(image.manifest.digest);
    expect((await ask(url, session, { method: "DELETE" })).status).toBe(204);
    const small = imageOf("b", 100_000);
    await pushImage(url, "team/api", small, "2.0");
    expect(await pullImage(url, "team/api", "2.0")).toBe(small.manifest.digest);
    await rm(at, { recursive: true, force: true });
  });

  it("what is here is served; what isn't is refused with 503, so that clients ask the upstream", async ({ skip }) => {
    skip(!mounted, "needs root");
    const at = await folder();
    const upstream = await startUpstream();
    const registry = await startTestRegistry(upstreamAt(upstream.url), at);
    const [here, large] = [imageOf("here", 100_000), imageOf("large", 6_000_000)];
    upstream.hold("team/api", here, "here");
    upstream.hold("team/api", large, "large");
    const NAME = "example.com/team/api";
    await pullImage(registry.url, NAME, "here");
    await settled(registry);
    expect((await ask(registry.url, `/v2/${NAME}/blobs/${large.layers[1]?.digest}`)).status).toBe(503);
    // To the last byte.
    await writeFile(join(disk, "filler"), Buffer.alloc(4_500_000)).catch(() => {});
    expect((await ask(registry.url, `/v2/${NAME}/manifests/large`)).status).toBe(200);
    expect(await pullImage(registry.url, NAME, "here")).toBe(here.manifest.digest);
    await rm(join(disk, "filler"));
    expect(await pullImage(registry.url, NAME, "here")).toBe(here.manifest.digest);
  });
});
