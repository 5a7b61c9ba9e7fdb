/** What the service asks of a database: so little that PostgreSQL over a socket and PGlite in the process both give it. */
import type { DatabaseConfig } from "../config.ts";
import { Failure } from "../failure.ts";

export interface Queryable {
  /** One statement with `$1` parameters; gives its rows. */
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /** Several statements without parameters. */
  script(sql: string): Promise<void>;
}

export interface Database extends Queryable {
  readonly kind: "postgres" | "pglite";
  /** Runs `work` in one transaction and resolves after it is durable on disk; rolls back when `work` throws. */
  transaction<T>(work: (transaction: Queryable) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The database can't be reached or used now; the same request may succeed later. */
export class Unavailable extends Failure {
  override name = "Unavailable";
}

/** Opens what the configuration names; the driver that isn't used isn't loaded. */
export async function openDatabase(config: DatabaseConfig, onIdleError: (error: Error) => void): Promise<Database> {
  if (config.kind === "postgres") {
    const { openPostgres } = await import("./postgres.ts");
    return openPostgres(config, onIdleError);
  }
  const { openPGlite } = await import("./pglite.ts");
  return openPGlite(config.dataDir);
}
