/** PGlite: PostgreSQL in this process, for a fleet that has no database server yet. One folder, one process. */
import { PGlite } from "@electric-sql/pglite";
import type { Database, Queryable } from "./database.ts";
import { Unavailable } from "./database.ts";
import { holdFolder } from "./folder-hold.ts";
import { DurableFolder, durableParameters } from "./durable-folder.ts";
import { clusterFolder } from "./cluster-folder.ts";
import { pgliteAssets } from "./pglite-assets.ts";

/** PGlite's own and the transactions' common ground. */
type Connection = Pick<PGlite, "query" | "exec">;

/** For tests and trials: nothing survives the process. */
const IN_MEMORY = "memory://";

/**
 * Opens the database in `dataDir`, making it at first use, or in memory for `memory://`.
 * Rejects when another process has the folder, or when it can't be written.
 */
export async function openPGlite(dataDir: string): Promise<Database> {
  const assets = await pgliteAssets();
  if (dataDir === IN_MEMORY) return wrap(await PGlite.create(assets), async () => {});
  const release = await holdFolder(dataDir);
  try {
    const folder = await clusterFolder(dataDir, assets);
    return wrap(await open(folder, assets), release);
  } catch (error) {
    await release();
    throw error;
  }
}

function open(folder: string, assets: object): Promise<PGlite> {
  return PGlite.create({ ...assets, fs: new DurableFolder(folder), startParams: durableParameters });
}

function wrap(pglite: PGlite, release: () => Promise<void>): Database {
  return {
    kind: "pglite",
    ...queryable(pglite),
    transaction: (work) => available(pglite.transaction((transaction) => work(queryable(transaction)))),
    close: async () => {
      await pglite.close();
      await release();
    },
  };
}

function queryable(connection: Connection): Queryable {
  return {
    query: async <Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await available(connection.query<Row>(sql, [...parameters]))).rows,
    script: async (sql) => void (await available(connection.exec(sql))),
  };
}

/** Once WebAssembly has trapped (a PANIC on a full disk, say) nothing works until a restart, which replays the log. */
async function available<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new Unavailable(`PGlite: ${error.message}`, { cause: error });
  }
}
