// kill -9 at any moment: what was answered for is there afterwards, and what is served verifies.

import { cp, mkdir, readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { command, silent, startServer, makeConfig } from "@waybill/registry";
import { startTestRegistry, temporaryFolder } from "./harness.ts";
import { ask, blobOf, imageOf, pullImage, pushImage } from "./image.ts";
import type { TestImage } from "./image.ts";
import { failToStart, startProcess } from "./process.ts";
import { startUpstream } from "./upstream.ts";

const ROUNDS = 4;

/** Ever later in what goes on. How late doesn't matter, only that it differs. */
const lapse = (round: number): Promise<void> => sleep(round * 23);

describe("kill -9, again and again,", { timeout: 180_000 }, () => {
  it("during pushes loses nothing that was answered for", async () => {
    const folder = await temporaryFolder();
    const acknowledged = new Map<string, TestImage>();
    for (let round = 0; round < ROUNDS; round++) {
      const { url, kill } = await startProcess(folder);
      const before = acknowledged.size;
      const pushing = Promise.allSettled(
        [0, 1, 2].map(async (writer) => {
          for (let i = 0; ; i++) {
            const image = imageOf(`${round} ${writer} ${i}`, 50_000);
            const tag = `r${round}w${writer}i${i}`;
            await pushImage(url, `team/api${writer}`, image, tag);
            acknowledged.set(tag, image);
          }
        }),
      );
      await expect.poll(() => acknowledged.size, { timeout: 60_000, interval: 5 }).toBeGreaterThan(before);
      await lapse(round);
      await kill();
      await pushing;
    }
    const { url } = await startProcess(folder);
    for (const [tag, { manifest }] of acknowledged)
      expect(await pullImage(url, `team/api${/w(\d)/.exec(tag)?.[1]}`, tag)).toBe(manifest.digest);
    await assertAllVerify(url, folder);
  });

  it("during pulls through leaves nothing half", async () => {
    const upstream = await startUpstream();
    const folder = await temporaryFolder();
    const image = imageOf("a", 2_000_000);
    upstream.hold("team/api", image, "1.0");
    const settings = { upstreams: { "example.com": { url: upstream.url, revalidateAfter: "0s" } } };
    for (let round = 0; round < ROUNDS; round++) {
      const { url, kill } = await startProcess(folder, settings);
      // What a client got whole was right; what broke off, it knows of.
      const pulling = pullImage(url, "example.com/team/api", "1.0").catch(() => image.manifest.digest);
      await lapse(round);
      await kill();
      expect(await pulling).toBe(image.manifest.digest);
    }
    const { url } = await startProcess(folder, settings);
    expect(await pullImage(url, "example.com/team/api", "1.0")).toBe(image.manifest.digest);
    await assertAllVerify(url, folder);
  });

  it("during collections keeps what is named", async () => {
    const folder = await temporaryFolder();
    const settings = { gc: { grace: "0s" } };
    const kept = imageOf("kept", 10_000);
    for (let round = 0; round < ROUNDS; round++) {
      const { url, kill } = await startProcess(folder, settings);
      await pushImage(url, "team/kept", kept, "1.0");
      for (let i = 0; i < 3; i++) {
        const image = imageOf(`${round} ${i}`, 10_000);
        await pushImage(url, "team/dropped", image, "1.0");
        await ask(url, `/v2/team/dropped/manifests/${image.manifest.digest}`, { method: "DELETE" });
      }
      const collecting = command(folder, "gc").catch(() => {});
      await sleep(round * 3);
      await kill();
      await collecting;
    }
    const { url } = await startProcess(folder, settings);
    expect(await pullImage(url, "team/kept", "1.0")).toBe(kept.manifest.digest);
    await command(folder, "gc");
    expect(await readdir(join(folder, "blobs", "sha256"))).toHaveLength(4);
  });

  it("in the middle of an upload lets the client go on where it was", async () => {
    const folder = await temporaryFolder();
    const blob = blobOf("x".repeat(100_000));
    const first = await startProcess(folder);
    const { headers } = await ask(first.url, "/v2/team/api/blobs/uploads/", { method: "POST" });
    const session = headers.get("location") ?? "";
    await ask(first.url, session, { method: "PATCH", body: blob.bytes.subarray(0, 60_000) });
    await first.kill();
    const { url } = await startProcess(folder);
    expect((await ask(url, session)).headers.get("range")).toBe("0-59999");
    await ask(url, session, {
      method: "PATCH",
      body: blob.bytes.subarray(60_000),
      headers: { "content-range": "60000-99999" },
    });
    expect((await ask(url, `${session}?digest=${blob.digest}`, { method: "PUT" })).status).toBe(201);
    expect((await ask(url, `/v2/team/api/blobs/${blob.digest}`)).body.equals(blob.bytes)).toBe(true);
  });
});

/** Every blob in the store is what its name says: the scrub finds nothing. */
async function assertAllVerify(url: string, folder: string): Promise<void> {
  expect((await ask(url, "/v2/")).status).toBe(200);
  expect(await command(folder, "scrub")).toMatchObject({ damaged: [] });
}

describe("the start", () => {
  it("is refused in one line where the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const { code, said } = await failToStart(await temporaryFolder(), { listen: `127.0.0.1:${port}` });
    expect(code).toBe(2);
    expect(said).toBe(
      `waybill: the port is taken, 127.0.0.1:${port}: stop what listens there, or set another in \`listen\`\n`,
    );
  });

  it("is refused where a registry runs on the folder already; a dead one's traces are no hindrance", async () => {
    const folder = await temporaryFolder();
    const { kill } = await startProcess(folder);
    await expect(startServer(makeConfig({ listen: "127.0.0.1:0" }, folder), silent)).rejects.toThrow(
      /^a registry runs on this folder already/,
    );
    await kill();
    await startTestRegistry({}, folder);
  });

  it.each([
    ["{", /not valid JSON/],
    ['{"listen":"5000"}', /"5000" is no address to listen at/],
    ['{"listen":"127.0.0.1:0","gc":{"every":"daily"},"x":1}', /gc\.every: write a time.*; .*"x"/],
    ['{"upstreams":{"bad host":{}}}', /"bad host" is not a registry/],
    ['{"fallback":"docker.io"}', /not among the upstreams/],
    [
      '{"listen":"0.0.0.0:0","upstreams":{"ghcr.io":{"credentials":"docker"}}}',
      /everybody who reaches this registry could read/,
    ],
    ['{"access":{"htpasswd":"nowhere"}}', /users can't be read \(ENOENT\)/],
    ['{"tls":{"certificate":"a.pem","key":"a.key"}}', /certificate or key can't be read \(ENOENT\)/],
  ])("is refused in one line for the configuration %s", async (text, message) => {
    const folder = await temporaryFolder();
    const { loadConfig } = await import("@waybill/registry");
    const { writeFile } = await import("node:fs/promises");
    await writeFile(join(folder, "config.json"), text);
    await expect(loadConfig(folder).then((config) => startServer(config, silent))).rejects.toThrow(message);
    // Nothing stays that would hinder the next.
    await startTestRegistry({}, folder);
  });

  it("is one on a copy of the folder, too: the store is its files", async () => {
    const registry = await startTestRegistry();
    const image = imageOf("a");
    await pushImage(registry.url, "team/api", image, "1.0");
    const copy = join(await temporaryFolder(), "copy");
    await mkdir(copy);
    for (const part of ["blobs", "repositories"])
      await cp(join(registry.folder, part), join(copy, part), { recursive: true });
    const { url } = await startTestRegistry({}, copy);
    expect(await pullImage(url, "team/api", "1.0")).toBe(image.manifest.digest);
  });
});
