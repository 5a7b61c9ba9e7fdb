/** The mode `serve`: the HTTP service, until a signal asks it to stop. */
import type { FastifyInstance } from "fastify";
import { readConfig, type Config } from "./config.ts";
import { openDatabase, type Database } from "./database/database.ts";
import type { Environment } from "./environment.ts";
import { Failure } from "./failure.ts";
import { buildApp } from "./http/app.ts";
import { migrate } from "./migrations/migrator.ts";
import { untilStopped } from "./stop.ts";

/** Resolves with the exit code after the service has stopped. */
export async function serve(environment: Environment): Promise<number> {
  const config = readConfig(environment);
  let lostConnection = (error: Error): void => console.error(error.message);
  const database = await openDatabase(config.database, (error) => lostConnection(error));
  try {
    const app = await buildApp(config, database);
    lostConnection = (error) => app.log.warn({ err: error }, "an idle database connection was lost");
    await prepare(config, database, (message, more) => app.log.info(more, message));
    if (!config.apiToken)
      app.log.warn("anyone who reaches this service may write: set API_TOKEN_FILE to ask for a token");
    await listen(app, config);
    return await untilStopped(app, config.shutdownMilliseconds);
  } finally {
    await database.close();
  }
}

async function listen(app: FastifyInstance, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw new Failure(`can't listen on ${host}:${port} (${(error as Error).message}): set HOST or PORT`, {
      cause: error,
    });
  }
}

/** PGlite has no other hand to migrate it; a shared database is migrated on purpose, unless AUTO_MIGRATE says so. */
async function prepare(
  config: Config,
  database: Database,
  log: (message: string, more: object) => void,
): Promise<void> {
  if (database.kind === "postgres" && !config.autoMigrate) return;
  const applied = await migrate(database);
  log("migrated", { database: database.kind, applied: applied.map((migration) => migration.name) });
}
