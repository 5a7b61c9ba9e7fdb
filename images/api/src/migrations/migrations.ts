/** The schema's history, oldest first. Only ever append: an applied migration is compared by checksum, and an edited one is refused. */
import { createHash } from "node:crypto";
import { firstRecords } from "./0001-records.ts";

export interface Migration {
  /** 1, 2, 3 …: the place in `migrations`. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [firstRecords];

/** SHA-256 of the SQL, in hex. */
export function checksum(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
