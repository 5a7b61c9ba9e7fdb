/** The built image, run as it will be: read-only root, no capabilities, an ordinary user. */
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BuiltImage, builtImage, type Container, freePort } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PostgresServer } from "./support/postgres-server.ts";
import { newName, recordOf } from "./support/records.ts";
import { startPut } from "./support/slow-put.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const USER = 65532;
const FIRST_START = 90_000; // PGlite's initdb, on a busy machine

let image: BuiltImage;
beforeAll(async () => void (image = await builtImage("api")), 300_000);

interface Running {
  readonly container: Container;
  readonly port: number;
  readonly url: string;
}

async function serve(env: Record<string, string>, dataDir?: string, user?: string): Promise<Running> {
  const port = await freePort();
  const mounts = dataDir === undefined ? [] : [{ source: dataDir, target: "/data" }];
  const container = await image.run({
    env: { HOST: "127.0.0.1", PORT: String(port), ...env },
    mounts,
    ...(user && { user }),
  });
  await container.logged(/Server listening/, FIRST_START);
  return { container, port, url: `http://127.0.0.1:${port}` };
}

/** A folder that the container's user may write. */
async function dataFolder(owner = USER): Promise<string> {
  const folder = join(await temporaryFolder(), "data");
  await mkdir(folder);
  await chown(folder, owner, owner);
  return folder;
}

function put(url: string, record: { name: string; digest: string }): Promise<Response> {
  const request = { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(record) };
  return fetch(`${url}/v1/images/${record.name}/${record.digest}`, request);
}

describe("the image's record", () => {
  it("has an ordinary user, the program without a shell, its port and a health check", () => {
    for (const platform of image.record.platforms) {
      expect(platform).toMatchObject({
        user: "65532:65532",
        entrypoint: ["/usr/local/bin/node", "/app/main.js"],
        exposedPorts: ["8080/tcp"],
        healthcheck: ["CMD", "/usr/local/bin/node", "/app/main.js", "healthcheck"],
      });
    }
    expect(image.record.platforms.map((platform) => platform.platform)).toContain("linux/amd64");
  });
});

describe("the image on PGlite", { timeout: 300_000 }, () => {
  it("serves with nothing given, keeps its own record, and is healthy", async () => {
    const { container, port, url } = await serve({});
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await put(url, image.record)).status).toBe(201);
    const latest = await (await fetch(`${url}/v1/images/api`)).json();
    expect(latest).toMatchObject({ digest: image.record.digest, record: image.record });

    const check = await image.run({ args: ["healthcheck"], env: { PORT: String(port) } });
    expect(await check.exited()).toMatchObject({ exitCode: 0 });
    expect(await container.stop("SIGTERM")).toMatchObject({ exitCode: 0 });
  });

  it("finishes the request in flight on SIGTERM, and has its record after a restart", async () => {
    const dataDir = await dataFolder();
    const first = await serve({}, dataDir);
    const record = recordOf(newName());
    const slow = await startPut(first.port, record);
    const ended = first.container.stop("SIGTERM");
    await first.container.logged(/"stopping"/);
    expect(await slow.finish()).toMatch(/^HTTP\/1\.1 201 /);
    expect(await ended).toMatchObject({ exitCode: 0 });

    const second = await serve({}, dataDir);
    expect((await fetch(`${second.url}/v1/images/${record.name}/${record.digest}`)).status).toBe(200);
  });

  it("has everything it acknowledged after kill -9", async () => {
    const dataDir = await dataFolder();
    const name = newName();
    const first = await serve({}, dataDir);
    const records = Array.from({ length: 20 }, () => recordOf(name));
    for (const record of records) expect((await put(first.url, record)).status).toBe(201);
    await first.container.stop("SIGKILL");

    const second = await serve({}, dataDir);
    const { records: kept } = (await (await fetch(`${second.url}/v1/images/${name}/history?limit=100`)).json()) as {
      records: { digest: string }[];
    };
    expect(kept.map((entry) => entry.digest)).toEqual(records.map((record) => record.digest).reverse());
  });

  it("runs as any user whose folder it is", async () => {
    const { url } = await serve({}, await dataFolder(12_345), "12345:12345");
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it("says what to do about a folder it can't write", async () => {
    const container = await image.run({ mounts: [{ source: await dataFolder(0), target: "/data" }] });
    expect(await container.exited()).toMatchObject({ exitCode: 1 });
    expect(container.stderr).toContain(
      "DATA_DIR /data can't be written: mount a volume there that user 65532 can write",
    );
  });
});

describe("the image on PostgreSQL", { timeout: 300_000 }, () => {
  let server: PostgresServer;
  beforeAll(async () => void (server = await PostgresServer.start()), 120_000);
  afterAll(() => server.stop());

  it("serves when its migrate mode has run, and not before", async () => {
    const env = { DATABASE_URL: await server.database() };
    const { container, url } = await serve(env);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);

    const migration = await image.run({ args: ["migrate"], env });
    expect(await migration.exited()).toMatchObject({ exitCode: 0 });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await put(url, recordOf(newName()))).status).toBe(201);
    expect(await container.stop("SIGTERM")).toMatchObject({ exitCode: 0 });
  });
});

describe("the image's arguments", () => {
  it("are checked", async () => {
    const container = await image.run({ args: ["sh"] });
    expect(await container.exited()).toMatchObject({ exitCode: 2 });
    expect(container.stderr).toContain('unknown mode "sh": use one of serve, migrate, healthcheck');
  });
});
