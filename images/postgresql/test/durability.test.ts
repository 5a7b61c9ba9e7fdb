// What a database is for: committed rows outlive a crash, a standby catches up and takes over, the old primary follows it.

import { builtImage } from "@waybill/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cluster, type Server } from "./support/cluster.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await Cluster.make(await builtImage("postgresql"));
  await cluster.initdb("primary");
}, 180_000);
afterEach(() => cluster[Symbol.asyncDispose](), 60_000);

/** Inserts 1, 2, 3, … a transaction each, and prints a number once its commit is acknowledged. */
const WRITER = `i=0
  while i=$((i + 1)); do echo "insert into rows values ($i) returning 'committed ' || id;"; done |
  psql --no-psqlrc --quiet --tuples-only --no-align`;

async function makeStandby(primary: Server): Promise<Server> {
  await cluster.run(
    [
      "pg_basebackup",
      "--pgdata=/data/standby",
      "--write-recovery-conf",
      "--create-slot",
      "--slot=standby",
      "--checkpoint=fast",
    ],
    cluster.address(primary.port),
  );
  await cluster.run(["pg_verifybackup", "/data/standby"]);
  return cluster.serve("standby");
}

describe("PostgreSQL in the image", { timeout: 240_000 }, () => {
  it("loses no committed row to kill -9", async () => {
    const first = await cluster.serve("primary");
    await cluster.psql(first, "create table rows (id int)");
    const writer = await cluster.start(["sh", "-c", WRITER], cluster.address(first.port));
    await writer.logged(/committed 200\n/, 60_000);
    await first.container.stop("SIGKILL");
    await writer.exited();
    const committed = [...writer.stdout.matchAll(/committed (\d+)\n/g)].map(([, id]) => Number(id));
    expect(committed.length).toBeGreaterThanOrEqual(200);

    const second = await cluster.serve("primary");
    expect(second.container.stderr).toContain(
      "database system was not properly shut down; automatic recovery in progress",
    );
    const found = (await cluster.psql(second, "select id from rows order by id")).split("\n").map(Number);
    expect(found).toEqual(expect.arrayContaining(committed));
    // The one insert under way when the server died may be there, acknowledged to nobody.
    expect(found.length - committed.length).toBeLessThanOrEqual(1);
    await cluster.run(["pg_controldata", "/data/primary"]);
    expect(await second.container.stop("SIGINT", 60_000)).toMatchObject({ exitCode: 0 });
  });

  it("feeds a standby, which takes over; the old primary rewinds and follows", async () => {
    const primary = await cluster.serve("primary", "wal_keep_size=512MB"); // as CloudNativePG sets it, for pg_rewind
    await cluster.psql(primary, "create table rows (id int); insert into rows select generate_series(1, 1000)");
    const standby = await makeStandby(primary);
    await cluster.psql(primary, "insert into rows select generate_series(1001, 2000)");
    await cluster.becomes(standby, "select count(*) from rows", "2000");
    await expect(cluster.psql(standby, "insert into rows values (0)")).rejects.toThrow("read-only transaction");

    await cluster.psql(standby, "select pg_promote()");
    await cluster.psql(primary, "insert into rows values (-1)"); // The old primary goes its own way...
    await primary.container.stop("SIGINT", 60_000);
    await cluster.psql(standby, "insert into rows select generate_series(2001, 3000); checkpoint");
    const source = `host=127.0.0.1 port=${standby.port} user=postgres dbname=postgres`;
    const rewind = ["pg_rewind", "--target-pgdata=/data/primary", `--source-server=${source}`, "--write-recovery-conf"];
    await cluster.run(rewind);
    const follower = await cluster.serve("primary");
    await cluster.becomes(follower, "select count(*), min(id) from rows", "3000|1"); // ... and comes back.
  });
});
