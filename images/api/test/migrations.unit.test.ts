import { describe, expect, it } from "vitest";
import { migrate, pendingMigrations } from "../src/migrations/migrator.ts";
import { migrations, type Migration } from "../src/migrations/migrations.ts";
import { onBothDatabases, ownDatabase } from "./support/databases.ts";

const first: Migration = { version: 1, name: "one", sql: "CREATE TABLE one (x int); INSERT INTO one VALUES (1);" };
const second: Migration = { version: 2, name: "two", sql: "ALTER TABLE one ADD y int;" };

describe("the migrations", () => {
  it("are numbered without a gap", () => {
    expect(migrations.map((migration) => migration.version)).toEqual(migrations.map((_, index) => index + 1));
  });
});

onBothDatabases("migrating", (newDatabase) => {
  it("applies what is missing, once, and nothing by half", { timeout: 120_000 }, async () => {
    const database = await ownDatabase(newDatabase);
    expect(await pendingMigrations(database, [first, second])).toEqual([first, second]);

    const broken = { ...second, sql: "ALTER TABLE one ADD y int; SELECT no_such_function();" };
    await expect(migrate(database, [first, broken])).rejects.toThrow("no_such_function");
    expect(await pendingMigrations(database, [first])).toEqual([first]);

    expect(await migrate(database, [first])).toEqual([first]);
    expect(await migrate(database, [first, second])).toEqual([second]);
    expect(await migrate(database, [first, second])).toEqual([]);
    expect(await database.query("SELECT x, y FROM one")).toEqual([{ x: 1, y: null }]);
    expect(await pendingMigrations(database, [first, second])).toEqual([]);

    // An older program on a newer schema: the new one is migrated before it is rolled out.
    expect(await pendingMigrations(database, [first])).toEqual([]);

    const edited = { ...first, sql: `${first.sql} ` };
    await expect(migrate(database, [edited])).rejects.toThrow(
      "migration 1 (one) was applied to the database with other SQL",
    );
    await expect(pendingMigrations(database, [edited])).rejects.toThrow("append a new migration");
  });

  it("lets one of many migrators work while the others wait", { timeout: 120_000 }, async () => {
    const database = await ownDatabase(newDatabase);
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(database, [first, second])));
    expect(applied.flat()).toEqual([first, second]);
  });
});
