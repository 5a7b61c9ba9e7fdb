/** The program as it is in the image, bundled and packed: that nothing it needs was left out, and nothing else was left in. */
import { existsSync } from "node:fs";
import { readdir, readFile, stat, symlink } from "node:fs/promises";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packAssets } from "../bundle/assets.ts";
import { bundle } from "../bundle/bundle.ts";
import { PostgresServer } from "./support/postgres-server.ts";
import { newName, recordOf } from "./support/records.ts";
import { runToEnd, Service } from "./support/service.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const image = new URL("../", import.meta.url).pathname;
const builtins = new Set(builtinModules);
let app: string;
let program: string;
let packages: string[];

/** As the Dockerfile does it, but for node_modules, which are the repo's. */
beforeAll(async () => {
  const from = await temporaryFolder();
  await symlink(join(image, "src"), join(from, "src"));
  await symlink(join(image, "../../node_modules"), join(from, "node_modules"));
  app = await temporaryFolder();
  program = join(app, "main.js");
  packages = await bundle(from, app);
  await packAssets(join(image, "package.json"), app);
}, 120_000);

describe("the bundled program", () => {
  it("keeps a record and the licence of each package in it, and of no other", async () => {
    expect(packages).toEqual(
      expect.arrayContaining(["fastify", "pg", "zod", "pino"].map((name) => `node_modules/${name}`)),
    );
    expect(packages).not.toContain("node_modules/esbuild");
    for (const folder of packages) expect(existsSync(join(app, folder, "package.json")), folder).toBe(true);
  });

  it("is small, and has no source maps, types or PGlite's extensions", async () => {
    const files = await readdir(app, { recursive: true });
    expect(files.filter((file) => /\.(map|ts|cts|tar\.gz)$/.test(file))).toEqual([]);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(app, file))).size));
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(8_000_000);
  });

  it("asks for nothing from node_modules when it runs", async () => {
    const chunks = (await readdir(app)).filter((name) => name.endsWith(".js"));
    const code = await Promise.all(chunks.map((name) => readFile(join(app, name), "utf8")));
    const imports = code.flatMap((text) =>
      [...text.matchAll(/^import\b[^;]*?from"([^"]+)"/gm)].map((match) => match[1]!),
    );
    expect(imports.filter((name) => !/^(\.|node:)/.test(name) && !builtins.has(name))).toEqual([]);
  });

  it("makes, migrates and serves a PGlite of its own", { timeout: 120_000 }, async () => {
    await serves(await Service.start({ program, env: { DATA_DIR: await temporaryFolder() } }));
  });

  describe("with PostgreSQL", () => {
    let server: PostgresServer;
    beforeAll(async () => void (server = await PostgresServer.start()), 120_000);
    afterAll(() => server.stop());

    it("migrates and serves it", async () => {
      const env = { DATABASE_URL: await server.database() };
      expect((await runToEnd({ program, args: ["migrate"], env })).exitCode).toBe(0);
      await serves(await Service.start({ program, env }));
    });
  });
});

/** Goes through everything that the service loads on demand. */
async function serves(service: Service): Promise<void> {
  await service.listening();
  const record = recordOf(newName());
  const headers = { "content-type": "application/json" };
  const put = { method: "PUT", headers, body: JSON.stringify(record) };
  expect((await fetch(`${service.url}/v1/images/${record.name}/${record.digest}`, put)).status).toBe(201);
  for (const path of [
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/v1/images",
    `/v1/images/${record.name}/history`,
  ]) {
    expect((await fetch(service.url + path)).status, path).toBe(200);
  }
  expect((await fetch(`${service.url}/v1/images/nobody`)).status).toBe(404);
  expect((await runToEnd({ program, args: ["healthcheck"], env: { PORT: String(service.port) } })).exitCode).toBe(0);
  expect(await service.kill("SIGTERM")).toEqual({ exitCode: 0, signal: null });
}
