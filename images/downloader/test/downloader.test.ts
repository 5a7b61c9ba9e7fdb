// The built image, run as a cluster runs it: read-only root, no capabilities, a volume for the models.

import { chmod, mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BuiltImage, type Container, builtImage } from "@waybill/testing";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Hub, COMMIT, MODEL, startHub } from "./hub.ts";

const MB = 1_000_000;
/** Of 3 MB: what is less than a write (64 KiB) waits for more. */
const NEARLY = /"bytesDone":(29[3-9]\d{4}|3000000)/;

let image: BuiltImage;
let models: string;
let hub: Hub;

beforeAll(async () => {
  image = await builtImage("downloader");
}, 120_000);

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), "waybill-downloader-"));
  await chmod(models, 0o777);
  hub = await startHub(5 * MB);
});

afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  await rm(models, { recursive: true, force: true });
});

function download(...more: string[]): Promise<Container> {
  const flags = [
    "--name",
    MODEL,
    "--output-dir",
    "/models",
    "--registry",
    hub.url,
    "--type",
    "huggingface",
    "--threadness",
    "3",
  ];
  return image.run({
    args: [...flags, "--retry-wait", "10ms", ...more],
    mounts: [{ source: models, target: "/models" }],
  });
}

const weights = (): Promise<Buffer> => readFile(join(models, "model.safetensors"));

/** What a volume holds for everybody, without the downloader's own folder. */
const visible = async (): Promise<string[]> => (await readdir(models)).filter((name) => name !== ".downloader");

async function settled(container: Container): Promise<{ exitCode: number; lines: string[] }> {
  const { exitCode } = await container.exited();
  return { exitCode, lines: container.stderr.trim().split("\n") };
}

describe("the downloader image", () => {
  it("fetches a model onto a volume as user 65532, with a read-only root", async () => {
    const { exitCode, lines } = await settled(await download("--chunk-size", "1MB"));
    expect(lines.at(-1)).toMatch(/^done: 1 files, 5\.0 MB, of which 5\.0 MB fetched/);
    expect(lines[0]).toContain(COMMIT);
    expect(exitCode).toBe(0);
    expect((await weights()).equals(hub.weights)).toBe(true);
    expect((await stat(join(models, "model.safetensors"))).uid).toBe(65532);
  });

  it("skips what is there, and then is healthy", async () => {
    await settled(await download());
    hub.sent = 0;
    const { lines } = await settled(await download());
    expect(lines).toContain("present model.safetensors (5.0 MB)");
    expect(hub.sent).toBe(0);
    const mounts = [{ source: models, target: "/models", readOnly: true }];
    const health = await image.run({ args: ["healthcheck", "--output-dir", "/models", "--verify", "full"], mounts });
    expect(await health.exited()).toMatchObject({ exitCode: 0 });
  });

  it("stops at SIGTERM with 143 and resumes where it was", async () => {
    hub.hangAfter = 3 * MB;
    const first = await download("--progress", "json");
    await first.logged(NEARLY);
    expect(await first.stop("SIGTERM")).toMatchObject({ exitCode: 143 });
    expect(await visible()).toEqual([]);
    Object.assign(hub, { hangAfter: undefined, sent: 0 });
    expect(await settled(await download())).toMatchObject({ exitCode: 0 });
    expect(hub.sent).toBe(2 * MB);
    expect((await weights()).equals(hub.weights)).toBe(true);
  });

  it("survives SIGKILL: the next run ends with the right bytes", async () => {
    hub.hangAfter = 3 * MB;
    const first = await download("--progress", "json");
    await first.logged(NEARLY);
    await first.stop("SIGKILL");
    hub.hangAfter = undefined;
    expect(await settled(await download())).toMatchObject({ exitCode: 0 });
    expect((await weights()).equals(hub.weights)).toBe(true);
  });

  it("never shows wrong bytes: exit 5", async () => {
    hub.lie = Buffer.alloc(5 * MB);
    const { exitCode, lines } = await settled(await download());
    expect(exitCode).toBe(5);
    expect(lines.at(-1)).toMatch(/^downloader: model\.safetensors: wrong bytes: expected sha256:/);
    expect(await visible()).toEqual([]);
  });

  it("says in one line that the volume is too small: exit 7", async () => {
    const { exitCode, lines } = await settled(
      await image.run({
        args: ["--name", MODEL, "--output-dir", "/models", "--registry", hub.url, "--type", "huggingface"],
        flags: ["--tmpfs=/models:size=1m,mode=1777"],
      }),
    );
    expect(lines).toEqual([
      expect.stringMatching(/^downloader: no space left: 5\.0 MB needed, 1\.0 MB free, \/models: free some space/),
    ]);
    expect(exitCode).toBe(7);
  });

  it("says in one line that the volume has filled up on the way: exit 7", async () => {
    const { exitCode, lines } = await settled(
      await image.run({
        args: [
          "--name",
          `${hub.url}/${MODEL}/resolve/${COMMIT}/model.safetensors`,
          "--output-dir",
          "/models",
          "--type",
          "http",
        ],
        flags: ["--tmpfs=/models:size=1m,mode=1777"],
      }),
    );
    expect(lines.slice(1)).toEqual([expect.stringMatching(/no space left on device, \/models: free some space/)]);
    expect(exitCode).toBe(7);
  });

  it("says who may not write: exit 7", async () => {
    await chmod(models, 0o755);
    const { exitCode, lines } = await settled(await download());
    expect(lines.at(-1)).toMatch(/permission denied, .*: let user 65532 write there/);
    expect(exitCode).toBe(7);
  });

  it("works as any user that may write", async () => {
    const flags = ["--name", MODEL, "--output-dir", "/models", "--registry", hub.url, "--type", "huggingface"];
    const container = await image.run({
      args: flags,
      user: "1000:1000",
      mounts: [{ source: models, target: "/models" }],
    });
    expect(await settled(container)).toMatchObject({ exitCode: 0 });
    expect((await stat(join(models, "model.safetensors"))).uid).toBe(1000);
  });

  it("picks its mode by argument, else by WAYBILL_MODE, else downloads", async () => {
    const byVariable = await image.run({ env: { WAYBILL_MODE: "version" }, network: "none" });
    expect(await settled(byVariable)).toMatchObject({ exitCode: 0 });
    expect(byVariable.stdout).toMatch(/^downloader sha256:[0-9a-f]{12} \(go1\.\d+/);
    const byArgument = await image.run({ args: ["dance"], env: { WAYBILL_MODE: "version" }, network: "none" });
    expect(await settled(byArgument)).toEqual({
      exitCode: 2,
      lines: ['downloader: unknown mode "dance", first argument: the modes are download, healthcheck, version'],
    });
    const byDefault = await image.run({ network: "none" });
    expect(await settled(byDefault)).toEqual({
      exitCode: 2,
      lines: ["downloader: no folder to fill: pass --output-dir DIR"],
    });
  });

  it("is small, for one platform, and runs as a numeric user", () => {
    const [platform] = image.record.platforms;
    expect(platform).toMatchObject({
      platform: "linux/amd64",
      user: "65532:65532",
      entrypoint: ["/usr/local/bin/downloader"],
    });
    expect(platform?.size).toBeLessThan(10 * MB);
    expect(platform?.unpackedSize).toBeLessThan(30 * MB);
  });
});
