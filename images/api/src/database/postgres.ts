/** A real PostgreSQL, through a pool of connections. */
import pg from "pg";
import type { PoolClient } from "pg";
import type { Database, Queryable } from "./database.ts";
import { Unavailable } from "./database.ts";

export interface PostgresOptions {
  readonly url: string;
  readonly poolSize: number;
}

/** A request waits this long for a connection or a statement before it is told to come back. Milliseconds. */
const PATIENCE = 5_000;

/**
 * Opens a pool; connects on first use, so a database that is down makes the service unready, not dead.
 * `onIdleError` hears of connections lost while nobody used them.
 */
export function openPostgres(options: PostgresOptions, onIdleError: (error: Error) => void): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolSize,
    connectionTimeoutMillis: PATIENCE,
    statement_timeout: PATIENCE * 2,
    query_timeout: PATIENCE * 2 + 1_000,
    idle_in_transaction_session_timeout: PATIENCE * 4,
    application_name: "waybill-api",
    keepAlive: true,
  });
  pool.on("error", onIdleError);
  return {
    kind: "postgres",
    ...queryable(pool),
    transaction: (work) => withClient(pool, (client) => inTransaction(client, work)),
    close: () => pool.end(),
  };
}

function queryable(connection: pg.Pool | PoolClient): Queryable {
  return {
    query: async <Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await available(connection.query(sql, [...parameters]))).rows as Row[],
    script: async (sql) => void (await available(connection.query(sql))),
  };
}

async function withClient<T>(pool: pg.Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await available(pool.connect());
  let broken = false;
  try {
    return await work(client);
  } catch (error) {
    broken = error instanceof Unavailable;
    throw error;
  } finally {
    client.release(broken); // true: a connection in doubt is closed, not pooled
  }
}

async function inTransaction<T>(client: PoolClient, work: (transaction: Queryable) => Promise<T>): Promise<T> {
  const transaction = queryable(client);
  await transaction.query("BEGIN");
  try {
    const result = await work(transaction);
    await transaction.query("COMMIT");
    return result;
  } catch (error) {
    // The first error is the one to tell; a rollback fails only with the connection, and then the server rolls back.
    await transaction.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/**
 * SQLSTATE classes of "not now": connection (08), authorisation (28), no such database (3D), resources (53),
 * operator intervention and time-outs (57), read-only after a failover (25006), lock time-out (55P03).
 */
const NOT_NOW = /^(08|28|3D|53|57)|^25006$|^55P03$/;

async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isAnswer = error instanceof pg.DatabaseError;
    if (isAnswer && !NOT_NOW.test(error.code ?? "")) throw error;
    throw new Unavailable(`PostgreSQL: ${reason(error)}`, { cause: error });
  }
}

/** Node gives an AggregateError with an empty message when each of a host's addresses refuses. */
function reason(error: unknown): string {
  if (error instanceof AggregateError && !error.message) return error.errors.map(reason).join(", ");
  return error instanceof Error ? error.message : String(error);
}
