import type { Migration } from "./migrations.ts";

/**
 * `images` holds the names alone: its rows are what a writer locks, so that the records of one image get their ids in
 * the order in which they are committed and a reader that pages by id misses none.
 */
export const firstRecords: Migration = {
  version: 1,
  name: "records",
  sql: `
CREATE TABLE images (
  name text COLLATE "C" PRIMARY KEY
);

CREATE TABLE records (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL REFERENCES images,
  digest text NOT NULL,
  record jsonb NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (name, digest)
);

CREATE INDEX records_newest ON records (name, id DESC);
`,
};
