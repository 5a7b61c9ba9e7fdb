/** The records in the database: what is written once is never changed, and each image's newest is the last to have arrived. */
import type { Database, Queryable } from "./database/database.ts";
import type { Entry, ImageRecord } from "./record.ts";

export type Outcome = { readonly result: "created" | "same"; readonly entry: Entry } | { readonly result: "conflict" };

export interface Page<T> {
  readonly items: T[];
  /** Where the next page starts; null: there is none. */
  readonly next: string | null;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  readonly record: ImageRecord;
  readonly recorded_at: Date;
}

const COLUMNS = "r.id::text AS id, r.name, r.digest, r.record, r.recorded_at";

export class ImageStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Keeps `record`; resolves when it is on disk. The same record again changes nothing; another one under its digest is a conflict. */
  async put(record: ImageRecord): Promise<Outcome> {
    const known = await compare(this.#database, record);
    return known ?? this.#database.transaction((transaction) => insert(transaction, record));
  }

  async get(name: string, digest: string): Promise<Entry | undefined> {
    const sql = `SELECT ${COLUMNS} FROM records r WHERE r.name = $1 AND r.digest = $2`;
    return first(await this.#database.query<Row>(sql, [name, digest]));
  }

  async latest(name: string): Promise<Entry | undefined> {
    const sql = `SELECT ${COLUMNS} FROM records r WHERE r.name = $1 ORDER BY r.id DESC LIMIT 1`;
    return first(await this.#database.query<Row>(sql, [name]));
  }

  /** The latest record of each image whose name comes after `after`, by name. Costs what the page holds, whatever the history. */
  async latestOfEach(limit: number, after = ""): Promise<Page<Entry>> {
    const sql = `
      SELECT ${COLUMNS} FROM images i
      CROSS JOIN LATERAL (SELECT * FROM records WHERE records.name = i.name ORDER BY records.id DESC LIMIT 1) r
      WHERE i.name > $1 ORDER BY i.name LIMIT $2`;
    return page(await this.#database.query<Row>(sql, [after, limit + 1]), limit, (row) => row.name);
  }

  /** The records of `name`, newest first, older than the one whose id is `before`. */
  async history(name: string, limit: number, before?: string): Promise<Page<Entry>> {
    const sql = `
      SELECT ${COLUMNS} FROM records r
      WHERE r.name = $1 AND ($2::bigint IS NULL OR r.id < $2::bigint) ORDER BY r.id DESC LIMIT $3`;
    return page(await this.#database.query<Row>(sql, [name, before ?? null, limit + 1]), limit, (row) => row.id);
  }
}

async function insert(transaction: Queryable, record: ImageRecord): Promise<Outcome> {
  await transaction.query("INSERT INTO images (name) VALUES ($1) ON CONFLICT DO NOTHING", [record.name]);
  // The row's lock puts the writers of one image in line. A server that commits without waiting for its disk is told to wait this time.
  await transaction.query(
    `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
       ELSE current_setting('synchronous_commit') END, true) FROM images WHERE name = $1 FOR UPDATE`,
    [record.name],
  );
  const inserted = await transaction.query<Row>(
    `INSERT INTO records AS r (name, digest, record) VALUES ($1, $2, $3::jsonb)
     ON CONFLICT (name, digest) DO NOTHING RETURNING ${COLUMNS}`,
    [record.name, record.digest, JSON.stringify(record)],
  );
  const entry = first(inserted);
  return entry ? { result: "created", entry } : ((await compare(transaction, record)) ?? { result: "conflict" });
}

/** What is known under the record's name and digest: nothing, the same (in jsonb's sense: keys' order is no difference) or another. */
async function compare(database: Queryable, record: ImageRecord): Promise<Outcome | undefined> {
  const rows = await database.query<Row & { same: boolean }>(
    `SELECT ${COLUMNS}, r.record = $3::jsonb AS same FROM records r WHERE r.name = $1 AND r.digest = $2`,
    [record.name, record.digest, JSON.stringify(record)],
  );
  const entry = first(rows);
  if (!entry) return undefined;
  return rows[0]?.same ? { result: "same", entry } : { result: "conflict" };
}

function first(rows: readonly Row[]): Entry | undefined {
  return rows[0] && toEntry(rows[0]);
}

function page(rows: readonly Row[], limit: number, cursor: (row: Row) => string): Page<Entry> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(toEntry), next: last ? cursor(last) : null };
}

function toEntry(row: Row): Entry {
  return { name: row.name, digest: row.digest, recordedAt: row.recorded_at.toISOString(), record: row.record };
}
