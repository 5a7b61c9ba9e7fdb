/** The two databases that every test of the API runs on. */
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import "./patience.ts";
import type { Config } from "../../src/config.ts";
import { openDatabase, type Database } from "../../src/database/database.ts";
import { pgliteFolder } from "./pglite-folder.ts";
import { PostgresServer } from "./postgres-server.ts";

export type NewDatabase = () => Promise<Database>;

/** Describes the same behaviour on PGlite and on PostgreSQL; `newDatabase` opens an empty one, closed by whoever asked for it. */
export function onBothDatabases(behaviour: string, tests: (newDatabase: NewDatabase) => void): void {
  describe(`${behaviour}, on PGlite`, () => {
    tests(async () => open({ kind: "pglite", dataDir: await pgliteFolder() }));
  });
  describe(`${behaviour}, on PostgreSQL`, () => {
    let server: PostgresServer;
    beforeAll(async () => void (server = await PostgresServer.start()), 120_000);
    afterAll(() => server.stop());
    tests(async () => open({ kind: "postgres", url: await server.database(), poolSize: 5 }));
  });
}

function open(config: Config["database"]): Promise<Database> {
  return openDatabase(config, () => {}); // a test may stop its server before its pool;
}

/** For a test that needs a database to itself. */
export async function ownDatabase(newDatabase: NewDatabase): Promise<Database> {
  const database = await newDatabase();
  onTestFinished(() => database.close());
  return database;
}
