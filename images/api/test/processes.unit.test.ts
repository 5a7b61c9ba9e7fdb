import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { migrations } from "../src/migrations/migrations.ts";
import { silentListener } from "./support/listener.ts";
import { pgliteFolder } from "./support/pglite-folder.ts";
import { PostgresServer } from "./support/postgres-server.ts";
import { newName, recordOf } from "./support/records.ts";
import { runToEnd, Service } from "./support/service.ts";
import { startPut } from "./support/slow-put.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

let postgres: PostgresServer;
beforeAll(async () => void (postgres = await PostgresServer.start()), 120_000);
afterAll(() => postgres.stop());

async function status(service: Service, path: string): Promise<number> {
  return (await fetch(service.url + path)).status;
}

describe("the mode", () => {
  it("that nobody knows ends with 2 and names the ones there are", async () => {
    const ended = await runToEnd({ args: ["toString"] });
    expect(ended).toMatchObject({
      exitCode: 2,
      output: 'unknown mode "toString": use one of serve, migrate, healthcheck\n',
    });
  });

  it("comes from WAYBILL_MODE when there is no argument", async () => {
    const ended = await runToEnd({ env: { WAYBILL_MODE: "healthcheck" } });
    expect(ended).toMatchObject({ exitCode: 1, output: expect.stringContaining("ECONNREFUSED") });
  });

  it("ends with 2 and every problem of the configuration", async () => {
    const ended = await runToEnd({ env: { PORT: "x", LOG_LEVEL: "y" } });
    expect(ended.exitCode).toBe(2);
    expect(ended.output).toMatch(/^bad configuration:\n {2}PORT: .*\n {2}LOG_LEVEL: .*\n$/);
  });

  it("migrate brings a database up, and says so again", async () => {
    const env = { DATABASE_URL: await postgres.database() };
    const names = migrations.map(({ version, name }) => `applied migration ${version} (${name})\n`);
    expect(await runToEnd({ args: ["migrate"], env })).toMatchObject({
      exitCode: 0,
      output: `${names.join("")}the database is up to date\n`,
    });
    expect(await runToEnd({ args: ["migrate"], env })).toMatchObject({
      exitCode: 0,
      output: "the database was up to date\n",
    });
  });

  it("migrate ends with 1 and one line when there is no database", async () => {
    const ended = await runToEnd({
      args: ["migrate"],
      env: { DATABASE_URL: "postgres://nobody:secret@127.0.0.1:1/x" },
    });
    expect(ended).toMatchObject({ exitCode: 1, output: "PostgreSQL: connect ECONNREFUSED 127.0.0.1:1\n" });
  });

  it("serve ends with 1 and one line when its port is taken", async () => {
    const port = String(await silentListener());
    const ended = await runToEnd({ env: { PORT: port, DATA_DIR: await pgliteFolder(), LOG_LEVEL: "silent" } });
    expect(ended.exitCode).toBe(1);
    expect(ended.output).toMatch(/^can't listen on 127.0.0.1:\d+ \(.*EADDRINUSE.*\): set HOST or PORT\n$/);
  });
});

describe("serving from PostgreSQL", () => {
  it("isn't ready before somebody has migrated, and is after, without a restart", async () => {
    const env = { DATABASE_URL: await postgres.database() };
    const service = await Service.start({ env });
    await service.listening();
    expect([await status(service, "/healthz"), await status(service, "/readyz")]).toEqual([200, 503]);
    await runToEnd({ args: ["migrate"], env });
    expect(await status(service, "/readyz")).toBe(200);
  });

  it("migrates by itself with AUTO_MIGRATE=1", async () => {
    const service = await Service.start({ env: { DATABASE_URL: await postgres.database(), AUTO_MIGRATE: "1" } });
    await service.listening();
    expect(await status(service, "/readyz")).toBe(200);
  });

  it("stays alive while the database is away, answers 503, and goes on when it is back", async () => {
    const own = await PostgresServer.start();
    onTestFinished(() => own.stop());
    const service = await Service.start({ env: { DATABASE_URL: await own.database(), AUTO_MIGRATE: "1" } });
    await service.listening();
    await own.pause();
    expect(await status(service, "/readyz")).toBe(503);
    expect(await status(service, "/v1/images")).toBe(503);
    expect(await status(service, "/healthz")).toBe(200);
    await own.resume();
    expect(await status(service, "/readyz")).toBe(200);
    expect(await status(service, "/v1/images")).toBe(200);
  });

  it("waits for the disk even where the server commits without", async () => {
    const url = await postgres.database();
    await postgres.query(url, `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
    await runToEnd({ args: ["migrate"], env: { DATABASE_URL: url } });
    // What a commit was told is seen from within its transaction, by a trigger.
    await postgres.query(
      url,
      `CREATE TABLE seen AS SELECT ''::text AS setting LIMIT 0;
       CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$;
       CREATE TRIGGER see BEFORE INSERT ON records FOR EACH ROW EXECUTE FUNCTION see();`,
    );
    const service = await Service.start({ env: { DATABASE_URL: url } });
    await service.listening();
    const record = recordOf(newName());
    const path = `${service.url}/v1/images/${record.name}/${record.digest}`;
    const headers = { "content-type": "application/json" };
    expect((await fetch(path, { method: "PUT", headers, body: JSON.stringify(record) })).status).toBe(201);
    expect(await postgres.rows(url, "SELECT setting FROM seen")).toEqual([{ setting: "on" }]);
  });
});

describe.each(["PGlite", "PostgreSQL"])("stopping, on %s", (kind) => {
  async function start(more: Record<string, string> = {}): Promise<Service> {
    const database =
      kind === "PGlite"
        ? { DATA_DIR: await pgliteFolder() }
        : { DATABASE_URL: await postgres.database(), AUTO_MIGRATE: "1" };
    const service = await Service.start({ env: { ...database, ...more } });
    await service.listening();
    return service;
  }

  it.each(["SIGTERM", "SIGINT"] as const)("on %s ends with 0 at once when nobody is served", async (signal) => {
    const service = await start();
    await fetch(`${service.url}/healthz`); // leaves an idle connection, which must not hold it
    expect(await service.kill(signal)).toEqual({ exitCode: 0, signal: null });
  });

  it("serves who is inside, lets nobody else in, and then ends with 0", async () => {
    const service = await start();
    const record = recordOf(newName());
    const put = await startPut(service.port, record);
    const ended = service.kill("SIGTERM");
    await service.prints(/"stopping"/);
    await expect(fetch(`${service.url}/healthz`)).rejects.toThrow();
    expect(await put.finish()).toMatch(/^HTTP\/1\.1 201 Created\r\n/);
    expect(await ended).toEqual({ exitCode: 0, signal: null });
  });

  it("cuts who is too slow, and ends with 1", async () => {
    const service = await start({ SHUTDOWN_SECONDS: "1" });
    await startPut(service.port, recordOf(newName()));
    expect(await service.kill("SIGTERM")).toEqual({ exitCode: 1, signal: null });
    expect(service.output).toContain("requests were still in flight at the limit");
  });
});

describe("the health check", () => {
  it("ends with 0 beside a healthy service", async () => {
    const service = await Service.start({ env: { DATABASE_URL: "postgres://127.0.0.1:1/x" } });
    await service.listening();
    const ended = await runToEnd({ args: ["healthcheck"], env: { PORT: String(service.port) } });
    expect(ended).toMatchObject({ exitCode: 0, output: "" });
  });

  it("ends with 1 beside one that doesn't answer", async () => {
    const port = String(await silentListener());
    const ended = await runToEnd({ args: ["healthcheck"], env: { PORT: port } });
    expect(ended).toMatchObject({ exitCode: 1, output: expect.stringContaining("no answer within 2 s") });
  });
});

describe("the log", () => {
  it("is JSON, a line an event, and holds no token", async () => {
    const token = "correct-horse-battery-staple";
    const file = join(await temporaryFolder(), "token");
    await writeFile(file, token);
    const service = await Service.start({
      env: { DATA_DIR: await pgliteFolder(), API_TOKEN_FILE: file, LOG_LEVEL: "trace" },
    });
    await service.listening();
    const headers = { authorization: `Bearer ${token}`, "x-request-id": "the-request" };
    await fetch(`${service.url}/v1/images`, { headers });
    await service.kill("SIGTERM");
    const lines = service.output
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => line.reqId === "the-request").length).toBeGreaterThan(0);
    expect(service.output).not.toContain(token);
  });
});
