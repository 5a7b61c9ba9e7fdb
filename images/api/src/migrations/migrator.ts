/** Brings a database's schema up, never down, one migrator at a time; and tells whether it is up. */
import type { Database, Queryable } from "../database/database.ts";
import { Failure } from "../failure.ts";
import { checksum, migrations as ours, type Migration } from "./migrations.ts";

/** The database holds a migration that this program knows with other SQL. */
export class MigrationEdited extends Failure {
  override name = "MigrationEdited";
}

interface Applied {
  readonly version: number;
  readonly checksum: string;
}

/** Any constant does, as long as each version of this program takes the same. */
const ADVISORY_LOCK = 0x77_61_79_62;

const LEDGER = `
CREATE TABLE IF NOT EXISTS schema_migrations (
  version integer PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
)`;

/**
 * Applies what is missing, all of it in one transaction (so no CREATE INDEX CONCURRENTLY), under an advisory lock that
 * makes a second migrator wait and find nothing to do. Gives the migrations it applied.
 */
export function migrate(database: Database, migrations: readonly Migration[] = ours): Promise<Migration[]> {
  return database.transaction(async (transaction) => {
    // A table may take longer than a request may; the lock is waited for as long as its holder needs.
    await transaction.script("SET LOCAL statement_timeout = 0");
    await transaction.query("SELECT pg_advisory_xact_lock($1)", [ADVISORY_LOCK]);
    await transaction.script(LEDGER);
    const pending = missing(migrations, await readLedger(transaction));
    for (const migration of pending) await apply(transaction, migration);
    return pending;
  });
}

/** The migrations `database` lacks. Versions it has beyond ours are a newer program's: migrations run before a roll-out does. */
export async function pendingMigrations(
  database: Queryable,
  migrations: readonly Migration[] = ours,
): Promise<Migration[]> {
  const [ledger] = await database.query<{ exists: boolean }>(
    "SELECT to_regclass('schema_migrations') IS NOT NULL AS exists",
  );
  return missing(migrations, ledger?.exists ? await readLedger(database) : []);
}

function readLedger(database: Queryable): Promise<Applied[]> {
  return database.query<Applied>("SELECT version, checksum FROM schema_migrations");
}

function missing(migrations: readonly Migration[], ledger: readonly Applied[]): Migration[] {
  const applied = new Map(ledger.map((row) => [row.version, row.checksum]));
  for (const migration of migrations) refuseEdited(migration, applied.get(migration.version));
  return migrations.filter((migration) => !applied.has(migration.version));
}

function refuseEdited(migration: Migration, appliedChecksum: string | undefined): void {
  if (appliedChecksum === undefined || appliedChecksum === checksum(migration)) return;
  const title = `migration ${migration.version} (${migration.name})`;
  throw new MigrationEdited(
    `${title} was applied to the database with other SQL: put its SQL back and append a new migration`,
  );
}

async function apply(transaction: Queryable, migration: Migration): Promise<void> {
  await transaction.script(migration.sql);
  await transaction.query("INSERT INTO schema_migrations (version, name, checksum) VALUES ($1, $2, $3)", [
    migration.version,
    migration.name,
    checksum(migration),
  ]);
}
