/** The mode `migrate`: brings the schema up and exits; a deployment runs it before it rolls out. */
import { readConfig } from "./config.ts";
import { openDatabase } from "./database/database.ts";
import type { Environment } from "./environment.ts";
import { migrate } from "./migrations/migrator.ts";

/** Gives 0; throws when the database can't be migrated, and leaves it then as it was. */
export async function migrateAndExit(environment: Environment): Promise<number> {
  const config = readConfig(environment);
  const database = await openDatabase(config.database, (error) => console.error(error.message));
  try {
    const applied = await migrate(database);
    for (const { version, name } of applied) console.log(`applied migration ${version} (${name})`);
    console.log(applied.length > 0 ? "the database is up to date" : "the database was up to date");
    return 0;
  } finally {
    await database.close();
  }
}
