// The image as an operator uses it: no entrypoint, user 26, read-only root, data on a volume.

import { type BuiltImage, builtImage } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, type Server } from "./support/cluster.ts";

let image: BuiltImage;
let cluster: Cluster;
let server: Server;
beforeAll(async () => {
  image = await builtImage("postgresql");
  cluster = await Cluster.make(image);
  await cluster.initdb("main");
  server = await cluster.serve("main", "shared_preload_libraries=pgaudit", "pgaudit.log=write");
}, 180_000);
afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

const psql = (sql: string): Promise<string> => cluster.psql(server, sql);

describe("the postgresql image", { timeout: 120_000 }, () => {
  it("is what CloudNativePG asks for: user 26, neither entrypoint nor command", () => {
    const [platform] = image.record.platforms;
    expect(platform).toMatchObject({ user: "26:26", entrypoint: [], cmd: [] });
  });

  it("has PostgreSQL's programs on the PATH, all of one version 17", async () => {
    const names = `initdb postgres pg_ctl pg_controldata pg_basebackup pg_rewind pg_isready pg_dump pg_dumpall pg_restore
      pg_upgrade pg_verifybackup pg_waldump pg_receivewal pg_combinebackup pg_checksums pg_config pgbench psql`;
    const script = `for name in ${names.replace(/\s+/g, " ")}; do "$name" --version || exit 1; done`;
    const versions = (await cluster.run(["sh", "-c", script])).match(/(?<=\(PostgreSQL\) |PostgreSQL )\d+\.\d+/g);
    expect(versions).toHaveLength(19);
    expect(new Set(versions).size).toBe(1);
    expect(versions?.[0]).toMatch(/^17\./);
  });

  it("knows user 26 as postgres, and has what its scripts and `kubectl cnpg` call", async () => {
    expect(await cluster.run(["id"])).toBe("uid=26(postgres) gid=26(postgres) groups=26(postgres)");
    const script =
      "for name in sh bash cp du test cat grep sed gzip locale less; do command -v $name || echo no $name; done";
    expect(await cluster.run(["bash", "-c", script])).not.toContain("no ");
  });

  it("finds the nearest neighbours with pgvector", async () => {
    await psql(`create extension vector; create table items (id bigserial primary key, embedding vector(3));
      insert into items (embedding) select array[i, i % 7, 1]::real[]::vector from generate_series(1, 1000) i;
      create index on items using hnsw (embedding vector_l2_ops)`);
    const sql = "select id from items order by embedding <-> '[499.9, 2, 1]' limit 3";
    expect((await psql(sql)).split("\n").map(Number)).toEqual(nearest(1000).slice(0, 3));
    expect(await psql(`set enable_seqscan = off; explain ${sql}`)).toContain("Index Scan using items_embedding_idx");
  });

  it("writes an audit log with pgaudit", async () => {
    await psql("create extension pgaudit; create table audited (id int)");
    await psql("insert into audited values (42)");
    await server.container.logged(/AUDIT: SESSION,.*,WRITE,INSERT,,,insert into audited values \(42\)/, 30_000);
  });

  it("speaks UTF-8 from the start, and has en_US, ICU's collations, time zones and TLS", async () => {
    expect(
      await psql("select datcollate, pg_encoding_to_char(encoding) from pg_database where datname = 'postgres'"),
    ).toBe("C.UTF-8|UTF8");
    expect(await psql("select count(*) from pg_collation where collname in ('en_US.utf8', 'de-x-icu', 'C.utf8')")).toBe(
      "3",
    );
    const sorted = `select string_agg(word, ' ' order by word collate "COLLATION") from unnest('{z,ä,a,B}'::text[]) word`;
    expect(await psql(sorted.replace("COLLATION", "en_US.utf8"))).toBe("a ä B z");
    expect(await psql(sorted.replace("COLLATION", "de-x-icu"))).toBe("a ä B z");
    expect(await psql("select timestamptz '2026-07-01 12:00+00' at time zone 'Asia/Tokyo'")).toBe(
      "2026-07-01 21:00:00",
    );
    expect(await psql("create extension pgcrypto; select encode(digest('', 'sha256'), 'hex')")).toMatch(/^e3b0c442/);
  });

  it("has the contrib extensions, and runs queries without just-in-time compilation", async () => {
    await psql(
      'create extension hstore; create extension "uuid-ossp"; create extension xml2; create extension pg_stat_statements',
    );
    expect(await psql("select xpath_string('<a>b</a>', '/a')")).toBe("b");
    expect(
      await psql(
        "set jit = on; set jit_above_cost = 0; select pg_jit_available(), sum(i) from generate_series(1, 9) i",
      ),
    ).toBe("f|45");
  });

  it("dumps and restores", async () => {
    await psql("create database copy");
    const address = cluster.address(server.port);
    await cluster.run(["pg_dump", "--format=custom", "--table=items", "--file=/data/items.dump"], address);
    await cluster.psql(server, "create extension vector", "copy");
    await cluster.run(["pg_restore", "--dbname=copy", "/data/items.dump"], address);
    expect(await cluster.psql(server, "select count(*) from items", "copy")).toBe("1000");
  });

  it("has a record of every package whose files match it", async () => {
    const script = "cd / && cat var/lib/dpkg/status.d/*.md5sums | md5sum --check --quiet && ls var/lib/dpkg/status.d";
    const records = (await cluster.run(["sh", "-c", script])).split("\n");
    expect(records).toEqual(
      expect.arrayContaining(["postgresql-17", "postgresql-17-pgvector", "libssl3t64", "tzdata"]),
    );
  });
});

/** The answer without an index: ids by the distance of [id, id mod 7, 1] from [499.9, 2, 1]. */
function nearest(count: number): number[] {
  const distance = (id: number): number => Math.hypot(id - 499.9, (id % 7) - 2);
  return Array.from({ length: count }, (_, index) => index + 1).toSorted((a, b) => distance(a) - distance(b));
}
