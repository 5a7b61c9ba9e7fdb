import { builtImage } from "@waybill/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, type Server } from "./support/cluster.ts";

let cluster: Cluster;
let server: Server;
beforeAll(async () => {
  cluster = await Cluster.make(await builtImage("postgresql", "standard"));
  await cluster.initdb("main", "--locale=de_DE.utf8");
  server = await cluster.serve("main", "shared_preload_libraries=pgaudit,pg_failover_slots", "jit_above_cost=0");
}, 180_000);
afterAll(() => cluster[Symbol.asyncDispose](), 60_000);

const psql = (sql: string): Promise<string> => cluster.psql(server, sql);

describe("the standard variant", { timeout: 120_000 }, () => {
  it("has all locales", async () => {
    expect(await psql("select datcollate from pg_database where datname = 'postgres'")).toBe("de_DE.utf8");
    expect(Number(await psql("select count(*) from pg_collation where collprovider = 'c'"))).toBeGreaterThan(500);
    expect(await psql("set lc_monetary = 'ja_JP.utf8'; select 1234::money")).toBe("￥1,234");
  });

  it("compiles queries just in time", async () => {
    const explained = await psql("explain analyze select sum(i * 2) from generate_series(1, 1000) i where i % 3 = 1");
    expect(explained).toMatch(/JIT:\n\s+Functions: \d+/);
  });

  it("has pgvector, pgaudit and pg_failover_slots", async () => {
    await psql("create extension vector; create extension pgaudit");
    expect(await psql("select '[1,2]'::vector <-> '[1,4]'::vector")).toBe("2");
    expect(await psql("show pg_failover_slots.synchronize_slot_names")).toBe("name_like:%%");
  });

  it("has a record of every package whose files match it", async () => {
    const script = "cd / && cat var/lib/dpkg/status.d/*.md5sums | md5sum --check --quiet && ls var/lib/dpkg/status.d";
    const records = (await cluster.run(["sh", "-c", script])).split("\n");
    expect(records).toEqual(expect.arrayContaining(["libllvm19", "locales-all", "postgresql-17-pg-failover-slots"]));
  });
});
